"""From the items of a frame to its JSON: which part is whose, in which order, under which number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .items import OBJECT, PART, PERSON, At, FrameItems, Item, Leftover, is_box
from .reading import Tell


@dataclass
class _Human:
    """A person to be written.

    Attributes:
        labels: What its parts may call it.
        item: What it was made of; None for a person without a usable box.
        parts: Name to place and JSON.
    """

    labels: set[str]
    at: At
    content: Any
    item: Item | None
    parts: dict[str, tuple[At, Any]] = field(default_factory=dict)

    @property
    def box(self) -> list[Any] | None:
        """Its xyxy."""
        return None if self.item is None else self.item.box

    @property
    def source(self) -> str:
        """Label of the person that it was, or is a copy of; empty if new."""
        return self.item.origin.person if self.item is not None and self.item.origin is not None else ""

    def finish(self) -> Any:
        """Its JSON with its parts."""
        if self.parts:
            ordered = sorted(self.parts.items(), key=lambda part: _order(part[1][0]))
            self.content["parts"] = {name: part for name, (_, part) in ordered}
        return self.content


def assemble(frame: FrameItems, items: Iterable[Item], tell: Tell) -> dict[str, Any]:
    """A frame's JSON from its items.

    Args:
        frame: What remains of the frame without its items; its leftovers stay, a leftover part with its person.
        items: Those of an import, in order of who may claim a place in the file first.
        tell: Told of parts that belong to nobody, or twice to somebody.
    """
    items = _places_once(items)
    humans = _humans([item for item in items if item.kind == PERSON], frame.leftovers)
    _attach_parts([item for item in items if item.kind == PART], humans, tell)
    for leftover in frame.leftovers:
        owner = next((human for human in humans if human.at is not None and human.at == leftover.owner), None)
        if leftover.kind == PART and owner is not None and isinstance(owner.content, dict):
            owner.parts.setdefault(leftover.name, (leftover.at, leftover.value))
    content = dict(frame.rest)
    persons = [human.finish() for human in sorted(humans, key=lambda human: _order(human.at))]
    if persons or isinstance(content.get("humans"), list):
        content["humans"] = persons
    things = [item for item in items if item.kind == OBJECT]
    things += [Item(OBJECT, left.name, left.at, left.value) for left in frame.leftovers if left.kind == OBJECT]
    if things or content.get("objects") is not None:
        content["objects"] = _objects(things, keyed=isinstance(content.get("objects"), dict))
    return content


def _places_once(items: Iterable[Item]) -> list[Item]:
    """Of two items from one place, such as a box and its copy, the second is new."""
    taken = set()
    placed = []
    for item in items:
        place = (item.kind, item.at, item.person if item.kind == PART else "")
        if item.at is not None and place in taken:
            item.at = None
        taken.add(place)
        placed.append(item)
    return placed


def _humans(persons: list[Item], leftovers: list[Leftover]) -> list[_Human]:
    humans: list[_Human] = []
    contents = [item.content for item in persons] + [left.value for left in leftovers if left.kind == PERSON]
    fresh = _fresh_number(contents)
    taken = {leftover.person for leftover in leftovers if leftover.kind == PERSON}
    for item in persons:
        labels = {item.person} - {""}
        if item.content.get("number") is None and item.at is None or labels & taken:
            # Drawn without a number, or a copy of another person with its number.
            item.content["number"] = fresh
            labels.add(str(fresh))
            fresh += 1
        taken |= labels
        humans.append(_Human(labels, item.at, item.content, item))
    for left in leftovers:
        if left.kind == PERSON:
            humans.append(_Human({left.person}, left.at, left.value, None))
    for item, human in zip(persons, humans):
        if item.alias and not any(item.alias in other.labels for other in humans):
            human.labels.add(item.alias)
    return humans


def _attach_parts(parts: list[Item], humans: list[_Human], tell: Tell) -> None:
    """Give each part to its person; those that two persons may have go where they fit best, the best fit first."""
    humans = [human for human in humans if isinstance(human.content, dict)]
    contested = []
    for item in parts:
        candidates = _candidates(item, humans)
        if len(candidates) > 1:
            contested.append((item, sorted(candidates, key=lambda human: _misfit(item, human))))
        else:
            _attach(item, candidates[0] if candidates else None, tell)
    claims = [(_misfit(item, human), i, human) for i, (item, rivals) in enumerate(contested) for human in rivals]
    waiting = dict(enumerate(contested))
    for _, i, human in sorted(claims, key=lambda claim: claim[:2]):
        if i in waiting and waiting[i][0].name not in human.parts:
            _attach(waiting.pop(i)[0], human, tell)
    for item, rivals in waiting.values():
        _attach(item, rivals[0], tell)


def _candidates(item: Item, humans: list[_Human]) -> list[_Human]:
    """Persons that a part may belong to: of its label, with the copies of that person; without a label the nearest."""
    if not item.person:
        nearest = _container(item.box, humans)
        return [] if nearest is None else [nearest]
    copies = [human for human in humans if item.origin is not None and human.source == item.person]
    if item.alias or len(copies) < 2:
        copies = []
    return [human for human in humans if item.person in human.labels or human in copies]


def _misfit(item: Item, human: _Human) -> tuple[bool, float, float, float]:
    """The less, the likelier is a part that of a person: both of one frame, moved alike, the part inside the person."""
    person = human.item
    if item.origin is None or person is None or person.origin is None:
        return True, math.inf, -_overlap(item.box, human.box), _area(human.box)
    steps = zip(item.box, item.origin.box, person.box, person.origin.box)
    apart = max(abs((edge - old) - (other - other_old)) for edge, old, other, other_old in steps)
    return item.foreign != person.foreign, apart, -_overlap(item.box, human.box), _area(human.box)


def _attach(item: Item, owner: _Human | None, tell: Tell) -> None:
    if owner is None:
        whose = f"there is no person {item.person}" if item.person else "no person contains it"
        tell(PART, f"{item.name}: {whose}: set its attribute `person` or delete it; it is left out")
        return
    if item.name in owner.parts:
        number = owner.content.get("number")
        tell(PART, f"{item.name}: person {number} has another: delete one of them; the one that was moved is left out")
        return
    if item.at is None and item.content.get("number") is None:
        number = owner.content.get("number")
        item.content["number"] = number if type(number) is int else 1
    owner.parts[item.name] = (item.at, item.content)


def _container(box: list[Any], humans: list[_Human]) -> _Human | None:
    """The person that holds the largest share of the box, the smaller person of two; None where none holds any."""
    shares = [(_overlap(box, human.box), -_area(human.box), human) for human in humans if is_box(human.box)]
    best = max(shares, key=lambda share: share[:2], default=None)
    return best[2] if best is not None and best[0] > 0 else None


def _overlap(box: list[Any], other: list[Any] | None) -> float:
    if other is None:
        return 0.0
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _area(box: list[Any] | None) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) if box is not None else 0.0


def _objects(things: list[Item], *, keyed: bool) -> list[Any] | dict[str, Any]:
    fresh = _fresh_number([item.content for item in things])
    for item in things:
        if item.at is None and item.content.get("number") is None:
            item.content["number"] = fresh
            fresh += 1
    if not keyed:
        return [item.content for item in sorted(things, key=lambda item: _order(item.at))]
    named: dict[str, Any] = {item.at: item.content for item in things if isinstance(item.at, str)}
    for item in things:
        if not isinstance(item.at, str):
            key = item.name or OBJECT
            named[key if key not in named else f"{key}_{item.content['number']}"] = item.content
    return named


def _fresh_number(contents: list[Any]) -> int:
    numbers = (content.get("number") for content in contents if isinstance(content, dict))
    return 1 + max((number for number in numbers if type(number) is int), default=0)


def _order(at: At) -> tuple[bool, int]:
    """Places of the file first, in their order, then what is new."""
    return (False, at) if isinstance(at, int) else (True, 0)
