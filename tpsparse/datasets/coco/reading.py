"""From annotations of a COCO file to items of a frame: what they were in the frame's file, and what was changed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ...taxonomy import Taxonomy
from .items import (
    OBJECT,
    OBJECT_NAMES,
    PART,
    PERSON,
    FrameItems,
    Item,
    box_key,
    category_item,
    is_box,
    is_number,
    object_name,
    plain_number,
)

UNDEFINED = "__undefined__"
"""CVAT's word for a choice that was not made."""

ROUNDING = 0.015 + 1e-6
"""Pixels by which an edge may move without having been moved.

CVAT rounds x and y to 0.01, and the width and height after the far edges: 0.005 there, 0.015 on the far edges.
"""

ATTRIBUTES = ("person", "state", "number", "original", "rotation")

Tell = Callable[[str, str], None]
"""Takes what was skipped, and why."""


@dataclass(frozen=True)
class View:
    """How a frame's image in the COCO file lies over the video's frame.

    Attributes:
        scale: (x, y) pixels of the image to one of the frame.
        size: (H, W) of the frame.
    """

    scale: tuple[float, float]
    size: tuple[int, int]


class Found(NamedTuple):
    """An item, and how far in pixels its box was moved; infinitely far if it is new."""

    moved: float
    item: Item


class AnnotationReader:
    """Reads the annotations of images.

    Args:
        taxonomy: Names that new or changed annotations may have.
        root: The data set, for its lists' names in messages.
        categories: Names by id.
    """

    def __init__(self, taxonomy: Taxonomy, root: Path, categories: dict[Any, str]) -> None:
        self.taxonomy, self.lists, self.categories = taxonomy, root / "list", categories

    def read(self, annotations: list[dict[str, Any]], base: FrameItems | None, view: View, tell: Tell) -> list[Item]:
        """The items of one image: those of this frame before those pasted from another, those first that moved least.

        Args:
            annotations: Of the image.
            base: What the frame's file holds now, for annotations that lost their attributes.
            view: How the image lies over the frame.
            tell: Told of what cannot be used.
        """
        unclaimed = list(base.items) if base else []
        boxes = [(item.path, item.box) for item in unclaimed]
        found = []
        for annotation in annotations:
            category = annotation.get("category_id")
            category = self.categories.get(category, "") if isinstance(category, (int, str)) else ""
            entry = _Entry(annotation, category, view)
            origin = entry.origin or _at_its_place(entry, unclaimed)

            def told(skipped: str, message: str, entry: _Entry = entry) -> None:
                tell(skipped, f"annotation {entry.annotation.get('id')} ({entry.category}): {message}")

            item = self._item(entry, origin, told)
            if item is not None:
                source = item.origin
                item.foreign = base is not None and source is not None and (source.path, source.box) not in boxes
                found.append(Found(_moved(entry, origin), item))
        return [item for _, item in sorted(found, key=lambda found: (found.item.foreign, found.moved))]

    def _item(self, entry: _Entry, origin: Item | None, tell: Tell) -> Item | None:
        """An item as it was with what was changed; one that cannot be changed so stays as it was."""
        named = self._kind_and_name(entry, origin, tell)
        if named is None:
            return None
        kind, name = named
        if origin is not None and origin.kind != kind:
            origin = None
        box, fault = entry.box(origin)
        if fault:
            tell(kind, f"{fault}; {'the box stays as it was' if origin else 'it is left out'}")
            if origin is None:
                return None
            box = origin.box
        if kind == PERSON:
            return _person(entry, origin, box)
        item = _object(entry, origin, box, name) if kind == OBJECT else _part(entry, origin, box, name)
        return item if kind == OBJECT or self._set_state(item, entry, origin, tell) else None

    def _kind_and_name(self, entry: _Entry, origin: Item | None, tell: Tell) -> tuple[str, str] | None:
        """What the category says, or what the item was if that is in no list."""
        category = entry.category
        kind, name = category_item(category)
        listed = self.taxonomy.objects if kind == OBJECT else self.taxonomy.parts
        if category and (kind == PERSON or not name or name in listed):
            return kind, name
        if origin is not None and category == origin.category:
            return origin.kind, origin.name
        kept = f"it stays {origin.category!r}" if origin else "it is left out"
        if not category:
            tell("annotation", f"its category is not among the file's categories: correct category_id; {kept}")
        else:
            file = self.lists / ("object.txt" if kind == OBJECT else "body_part.txt")
            tell(kind, f"category {category!r} is not in {file}: add it there or choose another; {kept}")
        return (origin.kind, origin.name) if origin else None

    def _set_state(self, item: Item, entry: _Entry, origin: Item | None, tell: Tell) -> bool:
        """Whether the part has a state now, that of its attribute or its own."""
        state = entry.attributes.get("state")
        given = None if state is None or str(state).strip() in ("", UNDEFINED) else str(state).strip()
        before = item.content.get("verb")
        if given is None or (isinstance(before, str) and given == before.strip()):
            if origin is None:
                tell(PART, "it has no state: set its attribute `state`; it is left out")
            return origin is not None
        if given in self.taxonomy.state_ids:
            item.content["verb"] = given
            return True
        kept = "the state stays as it was" if origin else "it is left out"
        tell(PART, f"state {given!r} is not in {self.lists / 'part_stat.txt'}: add it there or choose another; {kept}")
        return origin is not None


class _Entry:
    """One annotation with the way to its frame's pixels."""

    def __init__(self, annotation: dict[str, Any], category: str, view: View) -> None:
        self.annotation, self.category, self.view = annotation, category, view
        attributes = annotation.get("attributes")
        # FiftyOne writes the attributes beside the box.
        self.attributes = {key: annotation[key] for key in ATTRIBUTES if key in annotation}
        self.attributes |= attributes if isinstance(attributes, dict) else {}
        self.origin = _parse_origin(self.attributes.get("original"))

    @property
    def edges(self) -> list[float] | None:
        """Corners xyxy in pixels of the image; None where the annotation has no box."""
        box = self.annotation.get("bbox")
        if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
            return None
        return [box[0], box[1], box[0] + box[2], box[1] + box[3]]

    def box(self, origin: Item | None) -> tuple[list[Any], str]:
        """Corners xyxy in pixels of the frame, an edge that was not moved just as it was, and what is wrong with it."""
        edges = self.edges
        if edges is None:
            return [], "its bbox is not four numbers: draw it again"
        if plain_number(self.attributes.get("rotation")) not in (None, 0):
            return [], "its box is turned: draw it upright"
        scale = self.view.scale
        box = [_tidy(edge / scale[i % 2]) for i, edge in enumerate(edges)]
        if origin is not None:
            near = [abs(edge - old * scale[i % 2]) <= ROUNDING for i, (edge, old) in enumerate(zip(edges, origin.box))]
            box = [old if same else new for same, old, new in zip(near, origin.box, box)]
            if all(near):
                return box, ""
        if not is_box(box):
            return [], f"its bbox {self.annotation['bbox']} covers nothing: draw it again"
        height, width = self.view.size
        if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
            return [], f"its bbox {self.annotation['bbox']} is outside the frame: draw it again"
        return box, ""


def _person(entry: _Entry, origin: Item | None, box: list[Any]) -> Item:
    given = plain_number(entry.attributes.get("person"))
    if origin is None:
        content: dict[str, Any] = {"number": given, "box": box, "parts": {}}
        return Item(PERSON, PERSON, None, content, "" if given is None else str(given))
    item = _changed(origin, box)
    if given is not None and str(given) != origin.person:
        item.content["number"] = given
        item.person = str(given)
    return item


def _part(entry: _Entry, origin: Item | None, box: list[Any], name: str) -> Item:
    given = plain_number(entry.attributes.get("person"))
    if origin is None:
        item = Item(PART, name, None, {"number": None, "box": box, "verb": None, "name": name})
    else:
        item = _changed(origin, box)
        if name != origin.name:
            item.name = name
            if item.content.get("name") == origin.name:
                item.content["name"] = name
    if given is not None:
        item.person = str(given)
    return _numbered(item, entry)


def _object(entry: _Entry, origin: Item | None, box: list[Any], name: str) -> Item:
    if origin is None:
        return _numbered(Item(OBJECT, name, None, {"number": None, "name": name, "box": box}), entry)
    item = _changed(origin, box)
    if name != origin.name:
        named = (key for key in OBJECT_NAMES if isinstance(item.content.get(key), str))
        item.content[next(named, "name")] = name
        item.name = object_name(item.content)
    return _numbered(item, entry)


def _changed(origin: Item, box: list[Any]) -> Item:
    content = {**origin.content, box_key(origin.content): box}
    return replace(origin, content=content, origin=origin)


def _numbered(item: Item, entry: _Entry) -> Item:
    number = plain_number(entry.attributes.get("number"))
    if number is not None and number != plain_number(item.content.get("number")):
        item.content["number"] = number
    return item


def _parse_origin(text: Any) -> Item | None:
    """What the attribute ``original`` tells; None where it was lost or cut."""
    try:
        told = json.loads(text)
        kind, at, name, person = told["at"]
        item = Item(kind, name, at, told["item"], person)
        sound = kind in (PERSON, PART, OBJECT) and isinstance(name, str) and isinstance(person, str)
        sound = sound and type(at) in ((int, str) if kind == OBJECT else (int,)) and is_box(item.box)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return item if sound else None


def _at_its_place(entry: _Entry, unclaimed: list[Item]) -> Item | None:
    """The item of this category and box in the frame's file, for an annotation that lost its attributes."""
    for item in unclaimed:
        if item.category == entry.category and _moved(entry, item) <= ROUNDING:
            unclaimed.remove(item)
            return item
    return None


def _moved(entry: _Entry, origin: Item | None) -> float:
    edges, scale = entry.edges, entry.view.scale
    if origin is None or edges is None:
        return math.inf
    return max(abs(edge - old * scale[i % 2]) for i, (edge, old) in enumerate(zip(edges, origin.box)))


def _tidy(value: float) -> float:
    """To the hundredth of a pixel, and whole where it is."""
    value = round(value, 2)
    return int(value) if value == int(value) else value
