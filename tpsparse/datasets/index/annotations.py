"""One video's annotations: the official JSON as rows, with every check that concerns this video alone.

The only place that knows the form of a frame's JSON. The keys of objects and whatever else a release may hold were
never published: what is not known is kept in the column ``extra`` and counted in the table ``keys``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from ..layout import FRAME_FILE, annotation_folder, annotations_folder, frame_name, frame_number
from .checks import KINDS, beyond_frame, box_faults, far_parts, read_boxes, same_persons
from .files import Examined, VideoFiles
from .schema import NO_NUMBER

FRAME_KEYS = frozenset(["humans", "objects"])
PERSON_KEYS = frozenset(["number", "box", "parts", "name"])
PART_KEYS = frozenset(["number", "name", "box", "verb"])
OBJECT_NAMES = ("name", "object", "category", "label", "class")
"""Keys that may hold an object's name; what a release uses was never published."""
OBJECT_BOXES = ("box", "bbox")
LONGEST_VALUE = 200
"""Characters of a faulty value that are told."""


class _Found(NamedTuple):
    """Something with a box, as written: its parent's position, its place in the JSON, and what goes into its row."""

    parent: int
    key: str
    box: Any
    values: tuple


class VideoReader:
    """One video's rows.

    ``frames`` (number, extra); ``persons`` (frame, number, box, extra); ``parts`` (person, number, part, state, box,
    extra); ``objects`` (frame, number, name, box, extra): positions count from the video's first.
    """

    def __init__(self, files: VideoFiles, examined: Examined) -> None:
        self.files, self.examined = files, examined
        self.size = examined.facts.size if examined.facts else None
        self.frames: list[tuple] = []
        self.persons: list[tuple] = []
        self.parts: list[tuple] = []
        self.objects: list[tuple] = []
        self.problems: list[tuple] = []
        self.num_frames = 0
        self.content = hashlib.blake2b(digest_size=16)
        self._shapes: Counter[tuple[str, tuple]] = Counter()
        self._found_persons: list[_Found] = []
        self._found_parts: list[_Found] = []
        self._found_objects: list[_Found] = []

    def read(self) -> None:
        """Read and check everything."""
        self._count_frames()
        annotations = annotations_folder(self.files.root, self.files.split)
        folder = annotation_folder(self.files.root, self.files.split, self.files.action, self.files.name)
        self.folder = folder.relative_to(self.files.root).as_posix()
        if not folder.is_dir():
            if annotations.is_dir():  # the official test split has no annotations at all
                self._tell("no-annotations", "is missing", file=self.folder)
            return
        try:
            numbered = self._number_files(folder)
        except OSError as error:
            self._tell("no-annotations", f"cannot be read ({error.strerror})", file=self.folder)
            return
        if self.examined.facts is None and self.files.listed is None:
            self.num_frames = max(numbered, default=0)
        self._compare_numbers(numbered)
        for number in sorted(numbered):
            if 1 <= number <= self.num_frames:
                self._read_frame(f"{folder}/{numbered[number]}", number)
        self._keep_sound()

    def key_counts(self) -> list[tuple[str, int]]:
        """How often each key occurs, by its place in the JSON."""
        counts: Counter[str] = Counter()
        for (level, keys), times in self._shapes.items():
            for key in keys:
                counts[level + key] += times
        return sorted(counts.items())

    def _count_frames(self) -> None:
        files, (facts, error, decoded) = self.files, self.examined
        if facts is None:
            self._tell("unreadable-video", error or "", file=self._video_file)
            self.num_frames = files.listed or 0
            return
        available = facts.num_frames if decoded is None else min(decoded, facts.num_frames)
        if decoded is not None and decoded < facts.num_frames:
            told = f"has {facts.num_frames} frames of which {decoded} can be decoded"
            self._tell("short-video", told, file=self._video_file, value=decoded)
        elif files.listed is not None and available < files.listed:
            told = f"has {available} frames but the list says {files.listed}"
            self._tell("short-video", told, file=self._video_file, value=available)
        self.num_frames = available if files.listed is None else min(files.listed, available)

    def _number_files(self, folder: Path) -> dict[int, str]:
        """File names by frame number; of two of one number the one that is written as usual."""
        numbered: dict[int, str] = {}
        for name in sorted(name for name in os.listdir(folder) if FRAME_FILE.fullmatch(name)):
            number = frame_number(name)
            other = numbered.setdefault(number, name)
            if other != name:
                numbered[number] = kept = name if name == frame_name(number) else other
                self._tell("same-frame", f"{kept} is used", file=f"{self.folder}/{name if kept == other else other}")
        return numbered

    def _compare_numbers(self, numbered: dict[int, str]) -> None:
        beyond = [number for number in numbered if not 1 <= number <= self.num_frames]
        missing = self.num_frames - (len(numbered) - len(beyond))  # counted, since a stray number can be of any size
        if missing:
            first = next(number for number in count(1) if number not in numbered)
            more = f", as are {missing - 1} more of {self.num_frames}" if missing > 1 else ""
            self._tell("missing-frame", f"is missing{more}", frame=first, value=missing)
        if beyond:
            told = f"and {len(beyond) - 1} more are" if len(beyond) > 1 else "is"
            told += f" not among the {self.num_frames} frames that are used of the video"
            self._tell("frames-beyond-end", told, frame=min(beyond), value=len(beyond))

    def _read_frame(self, path: str, number: int) -> None:
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read()
            self.content.update(b"%d:%d:" % (number, len(data)) + data)
            content = _parse(data)
        except (ValueError, OSError, RecursionError) as error:
            self._tell("unreadable-frame", f"cannot be read ({error})", frame=number)
            return
        frame = len(self.frames)
        self.frames.append((number, self._extra("", content, FRAME_KEYS)))
        before = len(self._found_persons)
        for position, human in enumerate(content.get("humans", ())):
            self._find_person(frame, f"humans[{position}]", human)
        if len(self._found_persons) == before:
            self._tell("no-person", "has no person", frame=number)
        objects = content.get("objects") or ()
        named = objects.items() if isinstance(objects, dict) else enumerate(objects)
        for key, thing in named:
            self._find_object(frame, f"objects[{key}]", thing, str(key) if isinstance(objects, dict) else "")

    def _find_person(self, frame: int, key: str, human: Any) -> None:
        if not isinstance(human, dict):
            self._tell("bad-person", "is not an object", frame=self._number(frame), key=key, value=human)
            return
        extra = self._extra("humans[].", human, PERSON_KEYS)
        person = len(self._found_persons)
        self._found_persons.append(_Found(frame, f"{key}.box", human.get("box"), (_whole(human.get("number")), extra)))
        parts = human.get("parts") or {}
        if not isinstance(parts, dict):
            self._tell("bad-part", "is not an object", frame=self._number(frame), key=f"{key}.parts", value=parts)
            return
        for name, part in parts.items():
            self._find_part(person, frame, f"{key}.parts.{name}", name, part)

    def _find_part(self, person: int, frame: int, key: str, name: str, part: Any) -> None:
        state = part.get("verb") if isinstance(part, dict) else None
        if not isinstance(state, str):
            told = "has no state" if isinstance(part, dict) else "is not an object"
            self._tell("bad-part", told, frame=self._number(frame), key=key, value=part)
            return
        if part.get("name", name) != name:
            self._tell("other-name", "differs from its key", frame=self._number(frame), key=key, value=part["name"])
        extra = self._extra("humans[].parts{}.", part, PART_KEYS)
        values = (_whole(part.get("number")), name, state, extra)
        self._found_parts.append(_Found(person, f"{key}.box", part.get("box"), values))

    def _find_object(self, frame: int, key: str, thing: Any, name: str) -> None:
        if not isinstance(thing, dict):
            self._tell("bad-object", "is not an object", frame=self._number(frame), key=key, value=thing)
            return
        named = next((k for k in OBJECT_NAMES if isinstance(thing.get(k), str)), "")
        boxed = next((k for k in OBJECT_BOXES if k in thing), "")
        extra = self._extra("objects[].", thing, frozenset(["number", named, boxed]))
        values = (_whole(thing.get("number")), thing.get(named, name), extra)
        self._found_objects.append(_Found(frame, f"{key}.box", thing.get(boxed), values))

    def _keep_sound(self) -> None:
        """Make rows of what has a usable box and a usable parent, and warn of what looks odd."""
        frame_of_person = [found.parent for found in self._found_persons]
        persons = self._sound("bad-person", self._found_persons, frame_of_person)
        row_of_person = {position: row for row, (position, _) in enumerate(persons)}
        for position, box in persons:
            frame, _, _, (number, extra) = self._found_persons[position]
            self.persons.append((frame, number, box, extra))
        frame_of_part = [frame_of_person[found.parent] for found in self._found_parts]
        for position, box in self._sound("bad-part", self._found_parts, frame_of_part):
            person, _, _, (number, name, state, extra) = self._found_parts[position]
            if person in row_of_person:
                self.parts.append((row_of_person[person], number, name, state, box, extra))
        frame_of_object = [found.parent for found in self._found_objects]
        for position, box in self._sound("bad-object", self._found_objects, frame_of_object):
            frame, _, _, (number, name, extra) = self._found_objects[position]
            self.objects.append((frame, number, name, box, extra))
        self._warn_of_persons()
        self._warn_of_parts()

    def _sound(self, kind: str, found: list[_Found], frames: list[int]) -> list[tuple[int, np.ndarray]]:
        """Positions and boxes (4,) of those whose box can be used; the others are told."""
        boxes = read_boxes([item.box for item in found])
        faults = dict(box_faults(boxes, self.size))
        for row, told in faults.items():
            self._tell(kind, told, frame=self._number(frames[row]), key=found[row].key, value=found[row].box)
        told = f"reaches beyond the {self.size[1]}x{self.size[0]} frame" if self.size else ""
        for row in beyond_frame(boxes, self.size).tolist():
            if row not in faults:
                frame = self._number(frames[row])
                self._tell("beyond-frame", told, frame=frame, key=found[row].key, value=found[row].box)
        return [(row, box) for row, box in enumerate(boxes) if row not in faults]

    def _warn_of_persons(self) -> None:
        frames = np.array([person[0] for person in self.persons], dtype=np.int64)
        boxes = np.array([person[2] for person in self.persons], dtype=np.float64).reshape(-1, 4)
        for _, second in same_persons(boxes, frames).tolist():
            frame, number, box, _ = self.persons[second]
            told = f"person {number} has the same box as another"
            self._tell("duplicate-person", told, frame=self._number(frame), key="humans", value=box.tolist())
        numbered = Counter((frame, number) for frame, number, *_ in self.persons if number != NO_NUMBER)
        for (frame, number), times in numbered.items():
            if times > 1:
                told = f"{times} persons have number {number}"
                self._tell("same-number", told, frame=self._number(frame), key="humans", value=number)

    def _warn_of_parts(self) -> None:
        person_of_part = [part[0] for part in self.parts]
        for person in sorted(set(range(len(self.persons))) - set(person_of_part)):
            frame, number, *_ = self.persons[person]
            self._tell("no-part", f"person {number} has no part", frame=self._number(frame), key="humans")
        if not self.parts:
            return
        part_boxes = np.array([part[4] for part in self.parts])
        person_boxes = np.array([self.persons[person][2] for person in person_of_part])
        for row in far_parts(part_boxes, person_boxes).tolist():
            person, _, name, _, box, _ = self.parts[row]
            frame, number, *_ = self.persons[person]
            told = f"{name} of person {number} lies far from the person"
            self._tell("far-part", told, frame=self._number(frame), key=f"parts.{name}.box", value=box.tolist())

    def _extra(self, level: str, item: dict, known: frozenset[str]) -> str | None:
        """Count the keys of an item; its unknown ones as JSON."""
        self._shapes[level, tuple(item)] += 1
        kept = {key: value for key, value in item.items() if key not in known} if item.keys() - known else {}
        if "number" in item and _whole(item["number"]) == NO_NUMBER:
            kept["number"] = item["number"]  # of a kind that its column cannot hold
        return _as_json(kept) if kept else None

    def _number(self, frame: int) -> int:
        return self.frames[frame][0]

    @property
    def _video_file(self) -> str:
        return self.files.path.relative_to(self.files.root).as_posix()

    def _tell(self, kind: str, told: str, *, frame: int = 0, file: str = "", key: str = "", value: Any = None) -> None:
        file = file or f"{self.folder}/{frame_name(frame)}"
        remedy = KINDS[kind].remedy
        message = told if remedy in told or kind == "unreadable-video" else f"{told}: {remedy}"
        self.problems.append((kind, frame, file, key, _short(value), message))


def _parse(data: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(data)
    except ValueError:
        content = json.loads(data)  # takes NaN and whole numbers of any length, so that only their box is lost
        _as_json(content).encode()  # half a character, which no table and no file can hold, is refused here
    if not isinstance(content, dict) or not isinstance(content.get("humans", []), list):
        raise ValueError('expected {"humans": [...]}')
    if not isinstance(content.get("objects") or [], (list, dict)):
        raise ValueError('expected {"objects": [...]}')
    return content


def _whole(number: Any) -> int:
    return number if type(number) is int and 0 <= number < 1 << 31 else NO_NUMBER


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, or nesting without end
        return '"a value too long to print"'


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else _as_json(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
