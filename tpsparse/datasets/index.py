"""The index of a data set in the official Kinetics-TPS layout: what is annotated where, in columns.

    ROOT/<split>_videos/<action>/<video>.mp4
    ROOT/<split>_annotations/<action>/<video>/img_00001.json     or <video>/<video>/img_00001.json
    ROOT/list/video_<split>_flist.csv

Shapes: V videos, F annotated frames, N annotated persons, K parts. Columns are NumPy arrays, so that a sample is
found by offset and no object is held for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..structures import FrameParse, VideoParse
from ..taxonomy import Taxonomy
from .frame_list import read_frame_list
from .problems import ProblemLog
from .video import Video, open_video

SPLITS = ("train", "test")
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov")
ABSENT = -1
UNLIMITED = (1 << 30, 1 << 30)
FRAME_FILE = re.compile(r"img_(\d+)\.json")


@dataclass(frozen=True)
class VideoEntry:
    """One usable video; its annotated frames are rows ``frames`` of the index."""

    name: str
    path: Path
    action: int
    num_frames: int
    size: tuple[int, int]
    fps: float
    frames: range


@dataclass
class TPSIndex:
    """Videos and annotations of one split.

    Attributes:
        videos: V usable videos in order of action and name.
        frame_video: (F,) position of the frame's video in ``videos``.
        frame_number: (F,) frame number, from 1.
        person_start: (F + 1,) rows of the frame's persons are ``person_start[f]:person_start[f + 1]``.
        boxes: (N, 4) person boxes as annotated.
        part_boxes: (N, K, 4), NaN for an absent part.
        part_states: (N, K) state ids, -1 for an absent part.
        broken: Videos that cannot be read.
        problems: What could not be used.
    """

    root: Path
    split: str
    taxonomy: Taxonomy
    videos: list[VideoEntry]
    frame_video: np.ndarray
    frame_number: np.ndarray
    person_start: np.ndarray
    boxes: np.ndarray
    part_boxes: np.ndarray
    part_states: np.ndarray
    broken: list[Path]
    problems: ProblemLog

    def persons_of(self, frame: int) -> slice:
        """Rows of the persons annotated in frame row ``frame``."""
        return slice(int(self.person_start[frame]), int(self.person_start[frame + 1]))

    def frame_of_person(self) -> np.ndarray:
        """(N,) frame row of each person."""
        return np.repeat(np.arange(len(self.frame_number)), np.diff(self.person_start))

    def frame_parse(self, frame: int) -> FrameParse:
        """The annotation of frame row ``frame`` as a record."""
        rows = self.persons_of(frame)
        return FrameParse(
            frame_index=int(self.frame_number[frame]),
            boxes=self.boxes[rows],
            part_boxes=self.part_boxes[rows],
            part_states=self.part_states[rows],
        )

    def ground_truth(self, video: int) -> VideoParse | None:
        """The annotation of video ``video`` as a record; None where it has no annotated frame."""
        entry = self.videos[video]
        if not entry.frames:
            return None
        scores = np.zeros(len(self.taxonomy.actions), dtype=np.float32)
        scores[entry.action] = 1
        return VideoParse(
            video=entry.name,
            size=entry.size,
            num_frames=entry.num_frames,
            fps=entry.fps,
            frames=[self.frame_parse(frame) for frame in entry.frames],
            action_scores={"action": scores},
        )

    def truth_of_broken(self, path: Path) -> VideoParse | None:
        """The annotation of a video in ``broken``, which is scored as one of which nothing is predicted."""
        reader = _Reader(self.root, self.split, self.taxonomy)
        reader.read_annotation_alone(path)
        return reader.finish().ground_truth(0)


@lru_cache(maxsize=4)
def open_index(root: str | Path, split: str, taxonomy: Taxonomy) -> TPSIndex:
    """Read one split of a data set, once a process.

    Raises:
        InputError: If the folder has no usable video of the split.
    """
    root = Path(root)
    if split not in SPLITS:
        raise InputError(f"split {split!r} is not known: use one of {', '.join(SPLITS)}")
    reader = _Reader(root, split, taxonomy)
    paths = _video_paths(root / f"{split}_videos")
    for path in paths:
        reader.read_video(path)
    if not reader.videos:
        reader.problems.report(f"index of {root} ({split})")
        raise InputError(f"{root / f'{split}_videos'} has no usable video: expected <action>/<video>.mp4 in it")
    return reader.finish()


def _video_paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: put videos at {folder}/<action>/<video>.mp4")
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in VIDEO_SUFFIXES)


class _Reader:
    """Collects the columns of one split, video by video."""

    def __init__(self, root: Path, split: str, taxonomy: Taxonomy) -> None:
        self.root, self.split, self.taxonomy = root, split, taxonomy
        self.problems = ProblemLog()
        self.broken: list[Path] = []
        self.videos: list[VideoEntry] = []
        self.names: set[str] = set()
        self.listed = read_frame_list(root / "list" / f"video_{split}_flist.csv")
        self.frame_video: list[int] = []
        self.frame_number: list[int] = []
        self.person_counts: list[int] = []
        self.boxes: list[list[float]] = []
        self.part_boxes: list[np.ndarray] = []
        self.part_states: list[np.ndarray] = []

    def read_video(self, path: Path) -> None:
        action = path.parent.name
        if action not in self.taxonomy.action_ids:
            known = f"{self.root}/train_videos has no folder of that name"
            self.problems.add("video", path, f"action {action!r} is not known: {known}")
            return
        if path.stem in self.names:
            self.problems.add("video", path, f"the {self.split} split has another video of this name: rename one")
            return
        try:
            video = open_video(path)
        except InputError as error:
            self.problems.add("video", path, str(error).removeprefix(f"{path} "))
            self.broken.append(path)
            return
        num_frames = self._num_frames(path, video)
        start = len(self.frame_number)
        self.names.add(path.stem)
        self._read_annotations(action, path.stem, num_frames, video.size)
        self.videos.append(
            VideoEntry(
                name=path.stem,
                path=path,
                action=self.taxonomy.action_ids[action],
                num_frames=num_frames,
                size=video.size,
                fps=video.fps,
                frames=range(start, len(self.frame_number)),
            )
        )

    def read_annotation_alone(self, path: Path) -> None:
        """Read what is annotated of a video that cannot be read; the size of its frames is not known then."""
        action, name = path.parent.name, path.stem
        self._read_annotations(action, name, self.listed.get(name), UNLIMITED)
        self.videos.append(
            VideoEntry(
                name=name,
                path=path,
                action=self.taxonomy.action_ids[action],
                num_frames=max(self.frame_number, default=0),
                size=(0, 0),
                fps=0.0,
                frames=range(len(self.frame_number)),
            )
        )

    def _num_frames(self, path: Path, video: Video) -> int:
        listed = self.listed.get(path.stem, video.num_frames)
        if video.num_frames < listed:
            told = f"has {video.num_frames} frames but the list says {listed}: it may be truncated"
            self.problems.add("end of video", path, told)
        return min(listed, video.num_frames)

    def _read_annotations(self, action: str, name: str, num_frames: int | None, size: tuple[int, int]) -> None:
        annotations = self.root / f"{self.split}_annotations"
        folder = annotations / action / name
        if (folder / name).is_dir():
            folder = folder / name
        if not folder.is_dir():
            if annotations.is_dir():  # the official test split has no annotations at all
                self.problems.add("annotations of video", folder, "is missing: put img_00001.json and so on there")
            return
        files = {int(match[1]): path for path in folder.iterdir() if (match := FRAME_FILE.fullmatch(path.name))}
        for number in range(1, (max(files, default=0) if num_frames is None else num_frames) + 1):
            if number not in files:
                self.problems.add("frame", folder / f"img_{number:05d}.json", "is missing: restore it")
                continue
            self._read_frame(files[number], number, size)

    def _read_frame(self, path: Path, number: int, size: tuple[int, int]) -> None:
        try:
            humans = _humans(json.loads(path.read_bytes()))
        except (ValueError, OSError, RecursionError) as error:
            self.problems.add("frame", path, f"cannot be read ({error}): restore it")
            return
        count = 0
        for position, human in enumerate(humans, 1):
            count += self._read_person(path, human, f"person {position}", size)
        self.frame_video.append(len(self.videos))
        self.frame_number.append(number)
        self.person_counts.append(count)

    def _read_person(self, path: Path, human: Any, label: str, size: tuple[int, int]) -> bool:
        if not isinstance(human, dict):
            self.problems.add("person", path, f"{label} is not an object: correct it")
            return False
        box, fault = _read_box(human.get("box"), size)
        if fault:
            self.problems.add("person", path, f"{label}: {fault}")
            return False
        boxes = np.full((len(self.taxonomy.parts), 4), np.nan, dtype=np.float32)
        states = np.full(len(self.taxonomy.parts), ABSENT, dtype=np.int64)
        parts = human.get("parts") or {}
        if not isinstance(parts, dict):
            self.problems.add("parts of person", path, f"{label}: parts are not an object: correct them")
            parts = {}
        for name, part in parts.items():
            part_box, state, fault = self._read_part(name, part, size)
            if fault:
                self.problems.add("part", path, f"{label}, {name}: {fault}")
                continue
            boxes[self.taxonomy.part_ids[name]] = part_box
            states[self.taxonomy.part_ids[name]] = state
        self.boxes.append(box)
        self.part_boxes.append(boxes)
        self.part_states.append(states)
        return True

    def _read_part(self, name: str, part: Any, size: tuple[int, int]) -> tuple[list[float], int, str]:
        if name not in self.taxonomy.part_ids:
            return [], ABSENT, f"is not in {self.root}/list/body_part.txt: add it there or correct the file"
        if not isinstance(part, dict):
            return [], ABSENT, "is not an object: correct it"
        state = part.get("verb")
        if not isinstance(state, str) or state not in self.taxonomy.state_ids:
            listed = f"{self.root}/list/part_stat.txt"
            return [], ABSENT, f"state {state!r} is not in {listed}: add it there or correct the file"
        box, fault = _read_box(part.get("box"), size)
        return box, self.taxonomy.state_ids[state], fault

    def finish(self) -> TPSIndex:
        parts = len(self.taxonomy.parts)
        return TPSIndex(
            root=self.root,
            split=self.split,
            taxonomy=self.taxonomy,
            videos=self.videos,
            frame_video=np.array(self.frame_video, dtype=np.int64),
            frame_number=np.array(self.frame_number, dtype=np.int64),
            person_start=np.concatenate([[0], np.cumsum(self.person_counts, dtype=np.int64)]).astype(np.int64),
            boxes=np.array(self.boxes, dtype=np.float32).reshape(-1, 4),
            part_boxes=np.array(self.part_boxes, dtype=np.float32).reshape(-1, parts, 4),
            part_states=np.array(self.part_states, dtype=np.int64).reshape(-1, parts),
            broken=self.broken,
            problems=self.problems,
        )


def _humans(content: Any) -> list[Any]:
    humans = content.get("humans", []) if isinstance(content, dict) else None
    if not isinstance(humans, list):
        raise ValueError('expected {"humans": [...]}')
    return humans


def _read_box(box: Any, size: tuple[int, int]) -> tuple[list[float], str]:
    """Four floats and no fault, or nothing and what is wrong with the box."""
    # To Python, true and false are whole numbers.
    numbers = isinstance(box, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in box)
    if not numbers or len(box) != 4:
        return [], f"box {box!r} is not four numbers: correct it"
    box = [float(v) if abs(v) < 1e30 else np.inf for v in box]  # JSON's whole numbers have no limit
    if not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
        return [], f"box {box} is empty, inverted or not finite: correct it"
    height, width = size
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        return [], f"box {box} is outside the {width}x{height} frame: correct it"
    return box, ""
