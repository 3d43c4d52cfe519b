"""The table of rules that gives body parts their states: read from YAML, checked, and applied to a track.

Shapes: N frames of a track, K = 10 parts.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import InputError
from .measures import GROUPS, MEASURES, Body
from .parts import PARTS

DEFAULT_RULES = Path(__file__).with_name("states.yaml")
OTHERWISE = "otherwise"
# In every official list of states, used or not.
FIRST_STATES = ("none", "others")
_COMPARISONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+))")


@dataclass(frozen=True)
class Condition:
    """A measure compared with a number."""

    measure: str
    comparison: str
    value: float

    def __str__(self) -> str:
        return f"{self.measure} {self.comparison} {self.value:g}"

    def holds(self, body: Body, side: str) -> np.ndarray:
        """(N,) in which frames it does; not where the measure is NaN."""
        with np.errstate(invalid="ignore"):
            return _COMPARISONS[self.comparison](MEASURES[self.measure].compute(body, side), self.value)


@dataclass(frozen=True)
class Rule:
    """A state, and what must hold for it: all conditions; always, where there are none."""

    state: str
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"{self.state}: {' and '.join(map(str, self.conditions)) or OTHERWISE}"

    def holds(self, body: Body, side: str) -> np.ndarray:
        """(N,) in which frames it does."""
        held = np.ones(len(body.track), dtype=bool)
        for condition in self.conditions:
            held &= condition.holds(body, side)
        return held


@dataclass(frozen=True)
class RuleTable:
    """Rules of each part group, the first that holds first, the last of each without conditions."""

    rules: dict[str, tuple[Rule, ...]]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state that a part may get, for ``part_stat.txt``: none, others, then in the order of the table."""
        named = (rule.state for rules in self.rules.values() for rule in rules)
        return tuple(dict.fromkeys([*FIRST_STATES, *named]))

    def apply(self, body: Body) -> np.ndarray:
        """States (N, K) by name of a person's ten parts, in the order of :data:`parts.PARTS`."""
        columns = []
        for part in PARTS:
            side, _, group = part.rpartition("_")
            columns.append(_first_that_holds(self.rules[group], body, side))
        return np.stack(columns, axis=1)


def read_rules(path: str | Path = DEFAULT_RULES) -> RuleTable:
    """Read and check a table of rules; the file ``states.yaml`` beside this module says how one is written.

    Raises:
        InputError: If the file cannot be read, lacks a part group or its last line ``otherwise``, or has something that
            is not understood; the message names the file and the rule.
    """
    path = Path(path)
    try:
        table = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_TextLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): give a table of rules like {DEFAULT_RULES.name}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML ({' '.join(str(error).split())}): correct it there") from error
    if not isinstance(table, dict):
        raise InputError(f"{path} has no part groups: write a list of rules under each of {', '.join(GROUPS)}")
    unknown = [str(group) for group in table if group not in GROUPS]
    if unknown:
        raise InputError(f"{path}: part group {unknown[0]!r} is not known: {_suggest(unknown[0], GROUPS)}")
    return RuleTable({group: _read_group(path, group, table.get(group)) for group in GROUPS})


class _TextLoader(yaml.SafeLoader):
    """Reads every word as text: to plain YAML `on` and `no` would be truth values, and a doubled key no fault."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


_TextLoader.yaml_implicit_resolvers = {}


def _read_group(path: Path, group: str, entries: Any) -> tuple[Rule, ...]:
    if not isinstance(entries, list) or not entries:
        raise InputError(f'{path}: {group} has no rules: write them as a list, the last one "- none: {OTHERWISE}"')
    rules = tuple(_read_rule(f"{path}: {group}, rule {i}", group, entry) for i, entry in enumerate(entries, start=1))
    always = [i for i, rule in enumerate(rules, start=1) if not rule.conditions]
    if not always:
        raise InputError(f'{path}: {group} has no default: end it with a line such as "- none: {OTHERWISE}"')
    if always[0] < len(rules):
        told = f"{path}: {group}, rule {always[0]} ({rules[always[0] - 1].state}) always holds"
        raise InputError(f"{told}, so the rules below it never count: move it to the end")
    return rules


def _read_rule(place: str, group: str, entry: Any) -> Rule:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InputError(f'{place} is not one state and its conditions: write it like "- bend: elbow_angle <= 135"')
    [(state, text)] = entry.items()
    if not isinstance(state, str) or not isinstance(text, str) or not state.strip() or "\n" in state:
        raise InputError(f'{place} is not a state and its conditions: write it like "- bend: elbow_angle <= 135"')
    place, state, text = f"{place} ({state.strip()})", state.strip(), text.strip()
    if text == OTHERWISE:
        return Rule(state, ())
    return Rule(state, tuple(_read_condition(place, group, part) for part in re.split(r"\band\b", text)))


def _read_condition(place: str, group: str, text: str) -> Condition:
    found = _CONDITION.fullmatch(text.strip())
    if not found:
        raise InputError(
            f"{place}: {text.strip()!r} is not understood: write a measure, <, <=, > or >=, and a number, "
            f"joined with and, or {OTHERWISE}"
        )
    name = found[1]
    usable = [measure.name for measure in MEASURES.values() if group in measure.groups]
    if name not in MEASURES:
        raise InputError(f"{place}: measure {name!r} is not known: {_suggest(name, usable)}")
    if name not in usable:
        raise InputError(f"{place}: measure {name!r} is not one of {group}: use {', '.join(usable)}")
    return Condition(name, found[2], float(found[3]))


def _suggest(name: str, known: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"


def _first_that_holds(rules: tuple[Rule, ...], body: Body, side: str) -> np.ndarray:
    states = np.full(len(body.track), rules[-1].state, dtype=object)
    for rule in reversed(rules):
        states[rule.holds(body, side)] = rule.state
    return states
