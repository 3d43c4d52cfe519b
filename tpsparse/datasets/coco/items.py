"""A frame's JSON as a list of boxes and what remains of it, and back.

An item is a person, a part or an object that has a usable box. What has none is left over: it stays in the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..index.annotations import OBJECT_NAMES
from ..index.checks import LARGEST

PERSON, PART, OBJECT = "person", "part", "object"
OBJECT_PREFIX = "object:"
NAMELESS = "object"
"""Category of an object of which no name is found."""

At = int | str | None
"""Position in a list or in the order of a person's parts, key of an object where they have keys, None if new."""


@dataclass
class Item:
    """One box and all that the frame's file says of it.

    Attributes:
        kind: ``person``, ``part`` or ``object``.
        name: Of the part or object; ``person`` for a person.
        at: Where it was in the file.
        content: Its JSON, with ``box``; the parts of a person are taken out.
        person: Label of the person that it is or belongs to, unique in a frame of a file; empty for none.
        origin: What it was in the file, before anything was changed; None if new.
        foreign: Whether the frame's file has something else where ``origin`` was: pasted from another frame, or the
            file was changed since.
    """

    kind: str
    name: str
    at: At
    content: dict[str, Any]
    person: str = ""
    origin: Item | None = None
    foreign: bool = False

    @property
    def alias(self) -> str:
        """Label that it had before this was changed; empty where it was not."""
        return self.origin.person if self.origin is not None and self.origin.person != self.person else ""

    @property
    def box(self) -> list[Any]:
        """Its xyxy, as written."""
        return self.content[box_key(self.content)]

    @property
    def category(self) -> str:
        """Its category in a COCO file."""
        if self.kind != OBJECT:
            return self.name
        return OBJECT_PREFIX + self.name if self.name else NAMELESS

    @property
    def path(self) -> list[Any]:
        """Where it is in the file, as plain data."""
        return [self.kind, self.at, self.name, self.person]


@dataclass
class Leftover:
    """A person, part or object without a usable box.

    Attributes:
        owner: Position of the person, for a part.
        told: What is wrong with it.
    """

    kind: str
    name: str
    at: At
    value: Any
    person: str = ""
    owner: At = None
    told: str = ""


@dataclass
class FrameItems:
    """A frame's JSON, taken apart.

    Attributes:
        rest: The frame with its persons and objects taken out, in their places.
    """

    rest: dict[str, Any]
    items: list[Item] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)


def take_apart(content: Any) -> FrameItems:
    """A frame's JSON as items.

    Raises:
        ValueError: If it is not ``{"humans": [...], "objects": [...]}``; both may be missing.
    """
    if not isinstance(content, dict) or not isinstance(content.get("humans") or [], list):
        raise ValueError('expected {"humans": [...]}')
    if not isinstance(content.get("objects") or [], (list, dict)):
        raise ValueError('expected {"objects": [...]}')
    emptied = {key: type(content[key])() for key in ("humans", "objects") if content.get(key)}
    frame = FrameItems({**content, **emptied})
    humans = content.get("humans") or []
    for at, (human, label) in enumerate(zip(humans, _labels(humans))):
        _take_person(frame, at, human, label)
    objects = content.get("objects") or []
    for at_object, thing in objects.items() if isinstance(objects, dict) else enumerate(objects):
        name = object_name(thing, at_object if isinstance(at_object, str) else "")
        _take(frame, Item(OBJECT, name, at_object, thing), Leftover(OBJECT, name, at_object, thing))
    return frame


def category_item(category: str) -> tuple[str, str]:
    """Kind and name that a category stands for."""
    if category == PERSON:
        return PERSON, PERSON
    if category == NAMELESS:
        return OBJECT, ""
    if category.startswith(OBJECT_PREFIX):
        return OBJECT, category.removeprefix(OBJECT_PREFIX)
    return PART, category


def object_name(thing: Any, default: str = "") -> str:
    """What an object is called, under whichever key."""
    known = (thing[key] for key in OBJECT_NAMES if isinstance(thing.get(key), str)) if isinstance(thing, dict) else ()
    return next(iter(known), default)


def box_key(content: dict[str, Any]) -> str:
    """The key of a box."""
    return "bbox" if "box" not in content and "bbox" in content else "box"


def is_number(value: Any) -> bool:
    """Whether this is a number of a size that a coordinate can have; to Python, true and false are numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST


def is_box(box: Any) -> bool:
    """Whether this is the xyxy of a box that covers something."""
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        return False
    return box[0] < box[2] and box[1] < box[3]


def plain_number(value: Any) -> int | float | str | None:
    """A number as it was before a tool made text or a float of it; other text as it is, None for nothing."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text) if set(text) & set(".eE") else int(text)
        except ValueError:
            return text or None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _take_person(frame: FrameItems, at: int, human: Any, label: str) -> None:
    parts = human.get("parts") if isinstance(human, dict) else None
    if isinstance(parts, dict):
        human = {**human, "parts": {}}
    _take(frame, Item(PERSON, PERSON, at, human, label), Leftover(PERSON, PERSON, at, human, label))
    for at_part, (name, part) in enumerate(parts.items() if isinstance(parts, dict) else ()):
        item = Item(PART, name, at_part, part, label)
        _take(frame, item, Leftover(PART, name, at_part, part, label, owner=at))


def _take(frame: FrameItems, item: Item, leftover: Leftover) -> None:
    if isinstance(item.content, dict) and is_box(item.box if box_key(item.content) in item.content else None):
        frame.items.append(item)
        return
    place = f"person {item.person}" if item.kind == PERSON else item.name or f"object {item.at}"
    leftover.told = (
        f"{place}{f' of person {item.person}' if item.kind == PART else ''} has no box of four rising numbers"
    )
    frame.leftovers.append(leftover)


def _labels(humans: list[Any]) -> list[str]:
    """What tells a frame's persons apart: their numbers if these do, else their positions from 1."""
    numbers = [human.get("number") if isinstance(human, dict) else None for human in humans]
    apart = all(type(number) is int for number in numbers) and len(set(numbers)) == len(numbers)
    return [str(number) for number in (numbers if apart else range(1, len(humans) + 1))]
