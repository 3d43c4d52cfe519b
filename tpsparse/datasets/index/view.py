"""One split of a data set's index, by memory map: nothing is held for a frame, a person or a part.

Shapes: F frames, N persons, M parts, O objects of the split; K parts in the vocabulary. *Rows* are those of the
index's tables, the same whatever the split; boxes are ``xyxy`` in pixels as annotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...errors import InputError
from ...structures import FrameObjects, FrameParse, VideoParse
from ...taxonomy import Taxonomy
from ..layout import SPLITS, videos_folder
from ..splits import read_split
from ..video import VideoFacts
from .build import open_tables
from .tables import Tables, mark, names, numbers, strings
from .told import split_problems

ABSENT = -1
MOST_VIEWS = 8
"""Splits that one process keeps open."""
_OF_ENTRY = ("num_frames", "video_bytes", "height", "width", "fps", "frame_start", "frame_stop")


@dataclass(frozen=True)
class VideoEntry:
    """One usable video; its annotated frames are rows ``frames`` of the index.

    Attributes:
        split: The official split whose folders it lies in.
        action: Id of the action.
        num_frames: What is used of the video.
        size: (height, width) in pixels.
        facts: Of the file, which spares looking at it again.
        num_bytes: Of the file, by which a replaced one is told.
    """

    name: str
    path: Path
    split: str
    action: int
    num_frames: int
    size: tuple[int, int]
    fps: float
    frames: range
    facts: VideoFacts
    num_bytes: int


class VideoTable(Sequence):
    """Usable videos in order of split, action and name, each made when it is asked for."""

    def __init__(self, index: TPSIndex, rows: np.ndarray) -> None:
        self._index, self.rows = index, rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, position: int) -> VideoEntry: ...
    @overload
    def __getitem__(self, position: slice) -> list[VideoEntry]: ...
    def __getitem__(self, position: int | slice) -> VideoEntry | list[VideoEntry]:
        if isinstance(position, slice):
            return [self._index.entry(int(row)) for row in self.rows[position]]
        return self._index.entry(int(self.rows[position]))


class TPSIndex:
    """Videos and annotations of one split.

    Attributes:
        root: The data set.
        split: Official or named.
        taxonomy: The names that ids stand for.
        listed: ``<action>/<file>`` of the videos of a named split, None for an official one.
        inside: Whether a video is of this split, usable or not, by row of the table of videos.
        videos: V usable videos.
        broken: Videos that cannot be read.
        problems: What could not be used.
        frame_number: The frame's number, from 1, by frame row.
        person_frame: The frame's row, by person row.
        boxes: (4,) of a person, by person row.
        part_person: The person's row, by part row.
        part_box: (4,), by part row.
        object_frame: The frame's row, by object row.
        object_box: (4,), by object row.
    """

    def __init__(
        self, root: Path, split: str, taxonomy: Taxonomy, tables: Tables, listed: Sequence[str] | None = None
    ) -> None:
        self.listed = listed
        self.root, self.split, self.taxonomy, self.tables = root, split, taxonomy, tables
        videos = tables["videos"]
        self._video_columns = {name: numbers(videos, name) for name in _OF_ENTRY}
        # What decoding gave, where that was asked for, is what numbers of frames after a gap go by.
        self._video_frames = pc.coalesce(videos["decoded_frames"], videos["video_frames"]).to_numpy()
        self._video_split, self._video_action = strings(videos, "split"), strings(videos, "action")
        self.inside, lost = self._videos_inside()
        known = np.array([name in taxonomy.action_ids for name in self._video_action], dtype=bool)
        usable = np.array(videos["usable"].to_pylist(), dtype=bool)
        broken = np.array([error is not None for error in videos["error"].to_pylist()], dtype=bool)
        self.videos = VideoTable(self, np.flatnonzero(self.inside & known & usable))
        self._broken_rows = {self._path(int(row)): int(row) for row in np.flatnonzero(self.inside & known & broken)}
        self.broken = list(self._broken_rows)
        self.frame_number = numbers(tables["frames"], "number")
        self._person_ranges = _ranges(tables["frames"], "person")
        self._object_ranges = _ranges(tables["frames"], "object")
        self.person_frame = numbers(tables["persons"], "frame")
        self.boxes = numbers(tables["persons"], "box")
        self._part_ranges = _ranges(tables["persons"], "part")
        self.part_person = numbers(tables["parts"], "person")
        self.part_box = numbers(tables["parts"], "box")
        self.object_frame = numbers(tables["objects"], "frame")
        self.object_box = numbers(tables["objects"], "box")
        self._part_name, self._part_ids = _named_ids(tables["parts"], "part", taxonomy.part_ids)
        self._state_name, self._state_ids = _named_ids(tables["parts"], "state", taxonomy.state_ids)
        self._object_name, self._object_ids = _named_ids(tables["objects"], "name", taxonomy.object_ids)
        self.problems = split_problems(self, lost)

    def __reduce__(self) -> tuple:
        return open_index, (self.root, self.split, self.taxonomy)  # another process maps the files again

    @cached_property
    def frames(self) -> np.ndarray:
        """(F,) rows of the annotated frames of this split's usable videos, rising."""
        return self._rows_below(self.videos.rows, "videos", "frame")

    @cached_property
    def persons(self) -> np.ndarray:
        """(N,) rows of their persons, rising."""
        return self._rows_below(self.frames, "frames", "person")

    @cached_property
    def parts(self) -> np.ndarray:
        """(M,) rows of the parts of these persons whose part and state have ids, rising."""
        rows = self.labelled_rows("parts")
        if (self._part_ids >= 0).all() and (self._state_ids >= 0).all():
            return rows
        return rows[(self.part_id[rows] >= 0) & (self.state_id[rows] >= 0)]

    def labelled_rows(self, table: str) -> np.ndarray:
        """Rows of ``parts`` or ``objects`` in this split's usable videos, whether their names have ids or not."""
        return self.objects if table == "objects" else self._rows_below(self.persons, "persons", "part")

    @cached_property
    def objects(self) -> np.ndarray:
        """(O,) rows of the objects in these frames, rising."""
        return self._rows_below(self.frames, "frames", "object")

    @cached_property
    def frame_video(self) -> np.ndarray:
        """Position in ``videos``, by frame row; -1 for the frames of other videos."""
        position = np.full(len(self.tables["videos"]), ABSENT, dtype=np.int32)
        position[self.videos.rows] = np.arange(len(self.videos), dtype=np.int32)
        return position[numbers(self.tables["frames"], "video")]

    @property
    def part_id(self) -> np.ndarray:
        """Id of the part, by part row; -1 where the taxonomy has no such name."""
        return self._part_ids[self._part_name]

    @property
    def state_id(self) -> np.ndarray:
        """Id of the state, by part row; -1 where the taxonomy has no such name."""
        return self._state_ids[self._state_name]

    @property
    def object_id(self) -> np.ndarray:
        """Id of the object, by object row; -1 where the taxonomy has no such name."""
        return self._object_ids[self._object_name]

    @cached_property
    def video_actions(self) -> np.ndarray:
        """(V,) action ids of ``videos``."""
        name, ids = _named_ids(self.tables["videos"], "action", self.taxonomy.action_ids)
        return ids[name[self.videos.rows]]

    def entry(self, row: int) -> VideoEntry:
        """The video in row ``row`` of the table of videos."""
        column = self._video_columns
        path, size = self._path(row), (int(column["height"][row]), int(column["width"][row]))
        fps = float(column["fps"][row])
        return VideoEntry(
            name=path.stem,
            path=path,
            split=self._video_split[row],
            action=self.taxonomy.action_ids.get(self._video_action[row], ABSENT),
            num_frames=int(column["num_frames"][row]),
            size=size,
            fps=fps,
            frames=range(int(column["frame_start"][row]), int(column["frame_stop"][row])),
            facts=VideoFacts(int(self._video_frames[row]), size, fps),
            num_bytes=int(column["video_bytes"][row]),
        )

    def video_of(self, frame: int) -> VideoEntry:
        """The video of frame row ``frame``."""
        return self.entry(int(self._frame_video_row[frame]))

    def persons_of(self, frame: int) -> slice:
        """Rows of the persons annotated in frame row ``frame``."""
        return slice(int(self._person_ranges[0][frame]), int(self._person_ranges[1][frame]))

    def objects_of(self, frame: int) -> slice:
        """Rows of the objects annotated in frame row ``frame``."""
        return slice(int(self._object_ranges[0][frame]), int(self._object_ranges[1][frame]))

    def parts_of(self, persons: slice) -> slice:
        """Rows of the parts of neighbouring persons."""
        if persons.start == persons.stop:
            return slice(0, 0)
        return slice(int(self._part_ranges[0][persons.start]), int(self._part_ranges[1][persons.stop - 1]))

    def part_labels(self, parts: slice) -> tuple[np.ndarray, np.ndarray]:
        """Ids of part and state of neighbouring part rows, both -1 where either has none."""
        part, state = self._part_ids[self._part_name[parts]], self._state_ids[self._state_name[parts]]
        known = (part >= 0) & (state >= 0)
        return np.where(known, part, ABSENT), np.where(known, state, ABSENT)

    def person_parts(self, persons: slice | int) -> tuple[np.ndarray, np.ndarray]:
        """Parts of neighbouring persons, or of one.

        Returns:
            Boxes (P, K, 4) float32, NaN for an absent part, and states (P, K) int64, -1 for an absent part; without
            the first axis for one person.
        """
        if not isinstance(persons, slice):
            boxes, states = self.person_parts(slice(int(persons), int(persons) + 1))
            return boxes[0], states[0]
        count, kinds = persons.stop - persons.start, len(self.taxonomy.parts)
        boxes = np.full((count, kinds, 4), np.nan, dtype=np.float32)
        states = np.full((count, kinds), ABSENT, dtype=np.int64)
        rows = self.parts_of(persons)
        part, state = self.part_labels(rows)
        person, known = self.part_person[rows] - persons.start, part >= 0
        boxes[person[known], part[known]] = self.part_box[rows][known]
        states[person[known], part[known]] = state[known]
        return boxes, states

    def frame_parse(self, frame: int) -> FrameParse:
        """The annotation of frame row ``frame`` as a record."""
        rows = self.persons_of(frame)
        part_boxes, part_states = self.person_parts(rows)
        return FrameParse(
            frame_index=int(self.frame_number[frame]),
            boxes=self.boxes[rows].copy(),
            part_boxes=part_boxes,
            part_states=part_states,
            objects=self.frame_objects(frame),
        )

    def frame_objects(self, frame: int) -> FrameObjects:
        """The annotated objects of frame row ``frame`` whose names are in the taxonomy, with scores of 1."""
        rows = self.objects_of(frame)
        labels = self._object_ids[self._object_name[rows]]
        known = labels >= 0
        return FrameObjects(self.object_box[rows][known], np.ones(int(known.sum())), labels[known])

    def ground_truth(self, video: int) -> VideoParse | None:
        """The annotation of video ``video`` as a record; None where it has no annotated frame."""
        return self._truth(self.videos[video])

    def truth_of_broken(self, path: Path) -> VideoParse | None:
        """The annotation of a video in ``broken``, which is scored as one of which nothing is predicted."""
        return self._truth(self.entry(self._broken_rows[path]))

    def digest(self) -> str:
        """Digest of what this split holds: its videos by name and size, its annotations by content, all names."""
        digest = sha256(repr(self.taxonomy).encode())
        columns = ("split", "action", "file", "video_bytes", "num_frames", "content")
        rows = np.concatenate([self.videos.rows, list(self._broken_rows.values())]).astype(np.int64)
        for video in self.tables["videos"].select(columns).take(pa.array(rows)).to_pylist():
            digest.update(repr(tuple(video.values())).encode())
        return digest.hexdigest()

    def _truth(self, entry: VideoEntry) -> VideoParse | None:
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

    @cached_property
    def _frame_video_row(self) -> np.ndarray:
        return numbers(self.tables["frames"], "video")

    def _videos_inside(self) -> tuple[np.ndarray, list[str]]:
        """(rows of videos,) whether a video is of this split, and the listed ones that are not there."""
        if self.listed is None:
            return self._video_split == self.split, []
        wanted = set(self.listed)
        files = self.tables["videos"]["file"].to_pylist()
        places = [f"{action}/{file}" for action, file in zip(self._video_action, files)]
        inside = np.array([place in wanted for place in places], dtype=bool) & (self._video_split == SPLITS[0])
        return inside, sorted(wanted - {place for place, kept in zip(places, inside) if kept})

    def _rows_below(self, rows: np.ndarray, table: str, child: str) -> np.ndarray:
        starts, stops = (column[rows].astype(np.int64) for column in _ranges(self.tables[table], child))
        lengths = stops - starts
        ends = np.cumsum(lengths)
        return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)

    def _path(self, row: int) -> Path:
        file = self.tables["videos"]["file"][row].as_py()
        return videos_folder(self.root, self._video_split[row]) / self._video_action[row] / file


_VIEWS: dict[tuple, TPSIndex] = {}


def open_index(root: str | Path, split: str, taxonomy: Taxonomy) -> TPSIndex:
    """One split of a data set, whose index is made or brought up to date where need be.

    As long as the files stay the same, so does the object that is returned.

    Args:
        root: A data set in the official layout.
        split: ``train``, ``test``, or a named split such as ``dap/val``, see :mod:`tpsparse.datasets.splits`.
        taxonomy: The names that ids stand for.

    Raises:
        InputError: If the split is not known or has no usable video.
    """
    root = Path(root)
    listed = read_split(root, split)  # tells of an unknown split before any work is done
    folder = videos_folder(root, split if split in SPLITS else SPLITS[0])
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: put videos at {folder}/<action>/<video>.mp4")
    tables = open_tables(root)
    key = (root, split, taxonomy, None if listed is None else tuple(listed), mark(tables["videos"], "generation"))
    if key in _VIEWS:
        return _VIEWS[key]
    index = TPSIndex(root, split, taxonomy, tables, listed)
    if not len(index.videos):
        index.problems.report(f"index of {root} ({split})")
        remedy = f"expected <action>/<video>.mp4 in {folder}" if listed is None else "its file in splits/ lists none"
        raise InputError(f"{root} has no usable video of split {split}: {remedy}")
    while len(_VIEWS) >= MOST_VIEWS:
        _VIEWS.pop(next(iter(_VIEWS)))
    _VIEWS[key] = index
    return index


def _ranges(table: pa.Table, child: str) -> tuple[np.ndarray, np.ndarray]:
    return numbers(table, f"{child}_start"), numbers(table, f"{child}_stop")


def _named_ids(table: pa.Table, column: str, ids: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """A column of names as positions in its dictionary, and the id of each name of the dictionary."""
    if not len(table):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    known = [ids.get(name, ABSENT) for name in names(table, column)]
    return numbers(table, column), np.array(known, dtype=np.int64)
