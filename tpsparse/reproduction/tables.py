"""Tables of a study as Markdown: the report's number beside mean and deviation over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

NOTHING = "-"


def render(table: dict[str, Any]) -> str:
    """A study's table, its comparisons, and what they were measured on.

    Args:
        table: As :meth:`tpsparse.reproduction.Study.run` gives it; values are shares, printed in per cent.
    """
    columns = list(table["columns"].items())
    paper = {name for name, _ in columns for row in table["rows"].values() if name in row["paper"]}
    head = [table["title"]]
    for name, heading in columns:
        head += [f"{heading}, report"] * (name in paper) + [heading]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in table["rows"].values():
        cells = [row["name"]]
        for name, _ in columns:
            cells += [_paper(row["paper"].get(name))] * (name in paper) + [spread(row["values"].get(name, []))]
        lines.append(_line(cells))
    lines += ["", _measured_on(table)]
    names = {key: row["name"] for key, row in table["rows"].items()}
    lines += [f"- {_difference(comparison, names)}" for comparison in table["comparisons"]]
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation of shares, in per cent; one value alone has no deviation."""
    if not values or any(not math.isfinite(value) for value in values):
        return NOTHING
    text = f"{100 * mean(values):.1f}"
    return f"{text} ± {100 * stdev(values):.1f}" if len(values) > 1 else text


def _paper(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _measured_on(table: dict[str, Any]) -> str:
    seeds = ", ".join(map(str, table["seeds"]))
    data = table["data"]
    return (
        f"Trained on {data['train']} and tested on {data['test']} of {data['root']}, seeds {seeds}: "
        "mean ± standard deviation. Columns marked report are the paper's own numbers, on its own data."
    )


def _difference(comparison: dict[str, Any], names: dict[str, str]) -> str:
    pair = f"{names[comparison['first']]} against {names[comparison['second']]}"
    if "value" not in comparison:
        return f"{pair}: the test split has no annotations to score"
    seeds = ", ".join(f"{100 * value:+.1f}" for value in comparison["seeds"])
    return (
        f"{pair}: score {100 * comparison['value']:+.1f}, 95 % interval over videos "
        f"{100 * comparison['low']:+.1f} to {100 * comparison['high']:+.1f}; by seed {seeds}"
    )
