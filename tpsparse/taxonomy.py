"""The names that a data set uses, and what follows from the names alone.

Vocabularies are data: they are read from ``list/*.txt`` and from the action folders, never typed in code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError

LEFT, RIGHT = "left_", "right_"


@dataclass(frozen=True)
class Taxonomy:
    """Part, state, action and object names; an id is a position in its tuple.

    A data set of actions alone, as those of temporal parsing, has no parts, states and objects.

    Raises:
        InputError: If there are no actions, or a list repeats a name or has a left part without its right twin.
    """

    parts: tuple[str, ...]
    states: tuple[str, ...]
    actions: tuple[str, ...]
    objects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("parts", "states", "actions", "objects"):
            names = tuple(getattr(self, kind))
            object.__setattr__(self, kind, names)
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise InputError(f"{kind} repeat {', '.join(repeated)}: keep each name once in the list")
            needed = kind == "actions" or (kind != "objects" and (self.parts or self.states))
            if not names and needed:
                raise InputError(f"there are no {kind}: the list is empty")
        lonely = [name for name in self.parts if _mirror(name) not in self.parts]
        if lonely:
            raise InputError(f"parts {', '.join(lonely)} have no mirrored twin in the list")

    @classmethod
    def from_root(cls, root: str | Path) -> Taxonomy:
        """Read the lists of a data set in the official layout; actions are the folders of the training videos.

        The list of objects may be empty, as of a data set that has none.

        Raises:
            InputError: If a list or the folder of training videos is missing, or another list is empty.
        """
        root = Path(root)
        return cls(
            parts=_read_list(root / "list" / "body_part.txt"),
            states=_read_list(root / "list" / "part_stat.txt"),
            actions=_read_actions(root / "train_videos"),
            objects=_read_list(root / "list" / "object.txt", may_be_empty=True),
        )

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> Taxonomy:
        """Rebuild from :meth:`to_meta`, as stored in every checkpoint and saved parse."""
        return cls(**{kind: tuple(meta[kind]) for kind in ("parts", "states", "actions", "objects")})

    def to_meta(self) -> dict[str, list[str]]:
        """Plain lists of names, for checkpoints and files."""
        return {kind: list(getattr(self, kind)) for kind in ("parts", "states", "actions", "objects")}

    @cached_property
    def part_ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.parts)}

    @cached_property
    def state_ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.states)}

    @cached_property
    def action_ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.actions)}

    @cached_property
    def object_ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.objects)}

    @cached_property
    def flip_parts(self) -> np.ndarray:
        """(K,) for each part the part it becomes in a mirrored image; its own inverse."""
        return np.array([self.part_ids[_mirror(name)] for name in self.parts], dtype=np.int64)

    @cached_property
    def part_groups(self) -> dict[str, list[int]]:
        """Parts by name without side: head, arm, hand, hip, leg, foot for the official list."""
        groups: dict[str, list[int]] = {}
        for i, name in enumerate(self.parts):
            groups.setdefault(name.removeprefix(LEFT).removeprefix(RIGHT), []).append(i)
        return groups


def _mirror(name: str) -> str:
    if name.startswith(LEFT):
        return RIGHT + name.removeprefix(LEFT)
    if name.startswith(RIGHT):
        return LEFT + name.removeprefix(RIGHT)
    return name


def _read_list(path: Path, *, may_be_empty: bool = False) -> tuple[str, ...]:
    if not path.is_file():
        raise InputError(f"{path} is missing: a data set in the official layout has one name a line there")
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason}): save it as UTF-8") from error
    if not names and not may_be_empty:
        raise InputError(f"{path} is empty: write one name a line")
    return names


def _read_actions(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: put training videos at {folder}/<action>/<video>.mp4")
    names = tuple(sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")))
    if not names:
        raise InputError(f"{folder} has no action folders: put training videos at {folder}/<action>/<video>.mp4")
    return names
