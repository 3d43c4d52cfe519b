"""Reading annotations in TAPOS's format, as its public loaders do.

    {"<youtube_id>": {"s00004_0_100_7_931": {"subset": "train", "shot_timestamps": [12.0, 40.5],
                                             "total_frames": 195, "substages": [0, 79, 195]}}}

Of the rest it is tolerant: an action's label may stand under any of :data:`LABEL_KEYS`, as a name or a number, with the
instance or with its source video, or be missing; so may shot times and frame rate. Other keys are ignored. What cannot
be used is a fault of its instance and costs nothing else. Shapes: T frames of an instance, B inner boundaries.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ..layout import is_text
from .checks import ERROR, KINDS, Fault, instance_warnings, substage_faults
from .layout import LONGEST_NAME, annotation_files, is_file_name
from .names import InstanceName, parse_name

LABEL_KEYS = (
    "action",
    "action_label",
    "action_name",
    "action_class",
    "label",
    "label_name",
    "class",
    "class_name",
    "category",
    "sport",
)
"""Where a label is looked for, in this order: no public loader of TAPOS shows its key."""
FPS_KEYS = ("fps", "frame_rate")
SUBSETS = {"training": "train", "validation": "val", "testing": "test"}
"""Other words for the subsets."""


@dataclass(frozen=True)
class Instance:
    """One action of a source video, usable as annotated.

    Attributes:
        youtube_id: The source video.
        name: Says the shot and the times in it, see :mod:`.names`.
        subset: ``train``, ``val`` or ``test``.
        num_frames: T.
        substages: 0, the boundaries, T: where each sub-action begins, and the end.
        shot: Seconds of the source video at which the shot begins and ends, None if unknown.
        action: Its label, None if unknown.
        given_fps: Frames a second, where the annotation says so itself.
    """

    youtube_id: str
    name: str
    subset: str
    num_frames: int
    substages: tuple[int, ...]
    shot: tuple[float, float] | None = None
    action: str | None = None
    given_fps: float | None = None

    @property
    def key(self) -> str:
        """What the instance is called everywhere: ``<youtube_id>/<name>``."""
        return f"{self.youtube_id}/{self.name}"

    @property
    def boundaries(self) -> np.ndarray:
        """(B,) int64 positions, from 0, of the first frame of each sub-action but the first."""
        return np.array(self.substages[1:-1], dtype=np.int64)

    @cached_property
    def place(self) -> InstanceName:
        """What the name says: start and end in seconds of the shot."""
        return parse_name(self.name)

    @property
    def fps(self) -> float | None:
        """Frames a second: as annotated, else the number of frames by the duration in the name."""
        if self.given_fps is not None:
            return self.given_fps
        return self.num_frames / self.place.duration if self.place.duration > 0 else None

    @property
    def start(self) -> float | None:
        """Seconds of the source video; None without shot times."""
        return None if self.shot is None else self.shot[0] + self.place.start

    @property
    def end(self) -> float | None:
        """Seconds of the source video, exclusive; None without shot times."""
        return None if self.shot is None else self.shot[0] + self.place.end


MOST = 2**31 - 1
"""The largest whole number that is read: two years of video at 30 frames a second."""


class Annotations(NamedTuple):
    """All that a data set's files hold: usable instances of all subsets by key, and what is wrong."""

    instances: tuple[Instance, ...]
    faults: tuple[Fault, ...]


def read_annotations(root: str | Path) -> Annotations:
    """Read every annotation of a data set; files that have not changed are read once a process.

    Raises:
        InputError: If there is no file of annotations, or none that can be read.
    """
    files = annotation_files(Path(root))
    if not files:
        raise InputError(f"{root} has no tapos_annotation*.json: put the annotation of TAPOS there")
    states = [path.stat() for path in files]
    return _read(tuple((path, state.st_size, state.st_mtime_ns) for path, state in zip(files, states)))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int, int], ...]) -> Annotations:
    reader = _Reader()
    for path, *_ in files:
        reader.read(path)
    unreadable = [fault for fault in reader.faults if fault.kind == "unreadable-file"]
    if len(unreadable) == len(files):
        raise InputError(f"{unreadable[0].file} {unreadable[0].message}: {KINDS['unreadable-file'].remedy}")
    instances = sorted(reader.instances.values(), key=lambda instance: instance.key)
    return Annotations(tuple(instances), (*reader.faults, *_joint_faults(instances, reader.files)))


class _Reader:
    """Collects the instances of files one after the other."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self.files: dict[str, Path] = {}
        self.faults: list[Fault] = []

    def read(self, path: Path) -> None:
        own = SUBSETS.get(_subset_of(path), _subset_of(path))
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            self.faults.append(Fault("unreadable-file", own, "", "", path, f"cannot be read ({error})"))
            return
        if not isinstance(content, dict):
            self.faults.append(Fault("unreadable-file", own, "", "", path, "is no JSON object of source videos"))
            return
        for video, entries in content.items():
            self._read_video(path, own, video, entries)

    def _read_video(self, path: Path, own: str, video: str, entries: Any) -> None:
        if not is_file_name(video):
            self.faults.append(Fault("unusable-video-name", own, _shown(video), "", path, "cannot name a file"))
            return
        if not isinstance(entries, dict):
            self.faults.append(Fault("unreadable-entry", own, video, "", path, "is no JSON object of instances"))
            return
        common = _label(entries)
        for name, entry in entries.items():
            if isinstance(entry, dict) or name not in _OF_VIDEO:
                self._read_instance(path, own, video, name, entry, common)

    def _read_instance(self, path: Path, own: str, video: str, name: str, entry: Any, common: str | None) -> None:
        subset = _subset(entry, own)
        found = _faults_of(name, entry, subset)
        told = [Fault(kind, subset, video, _shown(name), path, message) for kind, message in found]
        if not any(fault.severity == ERROR for fault in told):
            instance = _instance(video, name, entry, subset, common)
            if instance.key in self.instances:
                other = f"is in {self.files[instance.key].name} too"
                told = [Fault("same-instance", subset, video, name, path, other)]
            else:
                self.instances[instance.key], self.files[instance.key] = instance, path
                odd = instance_warnings(instance.num_frames, len(instance.boundaries), instance.fps)
                told += [Fault(kind, subset, video, name, path, message) for kind, message in odd]
        self.faults += told


_OF_VIDEO = {*LABEL_KEYS, *FPS_KEYS, "subset", "shot_timestamps", "duration", "url"}
"""Keys that may stand among the instances of a source video and name none."""


def _faults_of(name: str, entry: Any, subset: str) -> Iterator[tuple[str, str]]:
    try:
        if parse_name(name).duration <= 0:
            yield "end-before-start", "ends when it starts, or before"
        if len(name) > LONGEST_NAME:
            yield "unreadable-name", f"has more than {LONGEST_NAME} letters"
    except InputError:
        yield "unreadable-name", "cannot be told apart into shot and times"
    if not isinstance(entry, dict):
        yield "unreadable-entry", "is no JSON object"
        return
    if not subset:
        yield "unreadable-entry", "has no subset"
    total, substages = _whole(entry.get("total_frames")), _whole_list(entry.get("substages"))
    if total is None:
        yield "unreadable-entry", "has no whole number as total_frames"
    if substages is None:
        yield "unreadable-entry", "has no list of whole numbers as substages"
    if total is not None and substages is not None:
        yield from substage_faults(substages, total)
    if entry.get("shot_timestamps") is not None and _shot(entry["shot_timestamps"]) is None:
        yield "bad-shot", "has shot_timestamps that are no start and end; they are taken for unknown"


def _instance(video: str, name: str, entry: Mapping[str, Any], subset: str, common: str | None) -> Instance:
    """From an entry without errors."""
    total, substages = _whole(entry["total_frames"]), _whole_list(entry["substages"])
    assert total is not None and substages is not None
    fps = next((number for key in FPS_KEYS if (number := _positive(entry.get(key))) is not None), None)
    shot, action = _shot(entry.get("shot_timestamps")), _label(entry) or common
    return Instance(video, name, subset, total, tuple(substages), shot, action, fps)


def _joint_faults(instances: list[Instance], files: Mapping[str, Path]) -> list[Fault]:
    """What is odd about the instances together."""
    faults = []
    labelled = any(instance.action is not None for instance in instances)
    subsets: dict[str, dict[str, Instance]] = {}
    for instance in instances:
        subsets.setdefault(instance.youtube_id, {}).setdefault(instance.subset, instance)
        if labelled and instance.action is None:
            place = (instance.subset, instance.youtube_id, instance.name, files[instance.key])
            faults.append(Fault("no-label", *place, "has no label, as others have"))
    for video, found in subsets.items():
        if len(found) > 1:
            told = f"has instances in {' and '.join(sorted(found))}"
            path = files[next(iter(found.values())).key]
            faults.append(Fault("two-subsets", "", video, "", path, told))
    return faults


def _shown(name: str) -> str:
    """A name that may be no text, as it can be written into a list: JSON can hold half of a letter."""
    return name.encode("utf-8", "replace").decode()


def _subset_of(path: Path) -> str:
    """The subset that a file's name says, empty where it says none."""
    return path.stem.removeprefix("tapos_annotation").strip("_-. ")


def _subset(entry: Any, own: str) -> str:
    word = entry.get("subset") if isinstance(entry, dict) else None
    word = word.strip().lower() if isinstance(word, str) and is_text(word) else ""
    return SUBSETS.get(word, word) or own


def _label(entry: Mapping[str, Any]) -> str | None:
    return next((text for key in LABEL_KEYS if (text := _label_text(entry.get(key))) is not None), None)


def _label_text(value: Any) -> str | None:
    """A label as text; None for what is none, as a number below 0, which stands for "unknown"."""
    if isinstance(value, str):
        return value.strip() or None if is_text(value) else None
    number = _whole(value)
    return None if number is None or number < 0 else str(number)


def _whole(value: Any) -> int | None:
    """A whole number that a count of frames can be; tables that hold a gap write 195.0."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) <= MOST else None


def _whole_list(value: Any) -> list[int] | None:
    if not isinstance(value, list):
        return None
    numbers = [_whole(number) for number in value]
    return None if None in numbers else numbers  # type: ignore[return-value]


def _positive(value: Any) -> float | None:
    number = float(value) if _is_number(value) else math.nan
    return number if math.isfinite(number) and number > 0 else None


def _shot(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        return None
    start, end = map(float, value)
    return (start, end) if 0 <= start < end < math.inf else None


def _is_number(value: Any) -> bool:
    """Whether it is a number that fits into a float: JSON's whole numbers have any size."""
    return type(value) is float or (type(value) is int and abs(value) <= MOST)
