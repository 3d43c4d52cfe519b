"""Counts and sizes of what is annotated in one split of a data set, taken from the index's columns without a loop.

Shapes: V videos, F annotated frames, N persons, M parts, A actions, K kinds of part, S states, O kinds of object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..taxonomy import Taxonomy

if TYPE_CHECKING:
    from ..datasets.index import TPSIndex, VideoEntry

MOST_PERSONS = 10
"""Frames with this many persons or more are counted together."""
HEIGHT_BINS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SMALL, LARGE = 32.0**2, 96.0**2
"""Areas in square pixels between COCO's small, medium and large objects."""


@dataclass(frozen=True)
class VideoCounts:
    """What each of the V videos has.

    Attributes:
        keys: ``<action>/<file name>``, as files of named splits list them.
        actions: (V,) action ids.
        lengths: (V,) frames of the file.
        seconds: (V,), 0 where the frame rate is not known.
        frames: (V,) annotated frames.
        persons: (V,) annotated persons.
        parts: (V,) annotated parts.
        objects: (V,) annotated objects.
    """

    keys: list[str]
    actions: np.ndarray
    lengths: np.ndarray
    seconds: np.ndarray
    frames: np.ndarray
    persons: np.ndarray
    parts: np.ndarray
    objects: np.ndarray

    def by_action(self, name: str, num_actions: int) -> np.ndarray:
        """(A,) sums of one of the columns; of ``keys`` the number of videos."""
        if name == "keys":
            return np.bincount(self.actions, minlength=num_actions)
        return np.bincount(self.actions, getattr(self, name), num_actions).astype(np.int64)


@dataclass(frozen=True)
class BoxSizes:
    """Sizes of the boxes of one kind.

    Attributes:
        quantiles: (5,) square roots of the area in pixels at :data:`QUANTILES`; NaN where there is no box.
        classes: (3,) boxes that are small, medium and large by COCO's areas.
    """

    quantiles: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class DatasetStatistics:
    """What is annotated in one split.

    Attributes:
        taxonomy: The names that the ids stand for.
        videos: What each video has.
        pairs: (A, K, S) parts by action, kind and state.
        objects: (O + 1,) objects by kind; the last are those of unknown names.
        frame_persons: (11,) frames with 0 to 9 persons and with 10 or more.
        person_parts: (K + 1,) persons with 0 to K annotated parts.
        person_heights: (20,) persons by height, in twentieths of the frame's; the last hold the larger ones too.
        person_sizes: Of the persons' boxes.
        part_sizes: K, of the parts' boxes.
    """

    taxonomy: Taxonomy
    videos: VideoCounts
    pairs: np.ndarray
    objects: np.ndarray
    frame_persons: np.ndarray
    person_parts: np.ndarray
    person_heights: np.ndarray
    person_sizes: BoxSizes
    part_sizes: list[BoxSizes]

    @property
    def part_states(self) -> np.ndarray:
        """(K, S) parts by kind and state."""
        return self.pairs.sum(axis=0)

    @property
    def states(self) -> np.ndarray:
        """(S,) parts by state."""
        return self.pairs.sum(axis=(0, 1))


def dataset_statistics(index: TPSIndex) -> DatasetStatistics:
    """Count what the split of ``index`` has."""
    taxonomy = index.taxonomy
    entries = list(index.videos)  # each is made when it is asked for
    rows, persons, parts = _frame_rows(index, entries), index.persons, index.parts
    person_video = rows.video[index.person_frame[persons]]
    part_person = index.part_person[parts]
    part_video = rows.video[index.person_frame[part_person]]
    object_video = rows.video[index.object_frame[index.objects]]
    rows_video = dict(frames=rows.video[index.frames], persons=person_video, parts=part_video, objects=object_video)
    videos = _video_counts(entries, taxonomy.actions, rows_video)
    ids, states = index.part_id[parts], index.state_id[parts]
    shape = (len(taxonomy.actions), len(taxonomy.parts), len(taxonomy.states))
    codes = np.ravel_multi_index((videos.actions[part_video], ids, states), shape)
    per_person = np.bincount(part_person, minlength=len(index.person_frame))[persons]
    return DatasetStatistics(
        taxonomy=taxonomy,
        videos=videos,
        pairs=np.bincount(codes, minlength=int(np.prod(shape))).reshape(shape),
        objects=_count_objects(index.object_id[index.objects], len(taxonomy.objects)),
        frame_persons=_frame_persons(index),
        person_parts=np.bincount(np.minimum(per_person, shape[1]), minlength=shape[1] + 1),
        person_heights=_heights(index, rows),
        person_sizes=_sizes(index.boxes[persons]),
        part_sizes=[_sizes(index.part_box[parts[ids == part]]) for part in range(shape[1])],
    )


@dataclass(frozen=True)
class _FrameRows:
    """For every frame row of the tables: its video of this split, -1 for none, and its height in pixels."""

    video: np.ndarray
    height: np.ndarray


def _frame_rows(index: TPSIndex, entries: list[VideoEntry]) -> _FrameRows:
    video = np.asarray(index.frame_video)
    heights = np.array([*(entry.size[0] for entry in entries), 0], dtype=np.float32)
    return _FrameRows(video, heights[video])


def _video_counts(entries: list[VideoEntry], actions: Sequence[str], rows_video: dict[str, np.ndarray]) -> VideoCounts:
    """Counts of videos, given the video of each row of a kind."""
    lengths = np.array([entry.num_frames for entry in entries], dtype=np.int64)
    fps = np.array([entry.fps for entry in entries], dtype=np.float64)
    known = np.isfinite(fps) & (fps > 0)
    counts = {kind: np.bincount(video, minlength=len(entries)) for kind, video in rows_video.items()}
    return VideoCounts(
        keys=[f"{actions[entry.action]}/{entry.path.name}" for entry in entries],
        actions=np.array([entry.action for entry in entries], dtype=np.int64),
        lengths=lengths,
        seconds=np.where(known, lengths / np.where(known, fps, 1), 0),
        **counts,
    )


def _count_objects(ids: np.ndarray, num_objects: int) -> np.ndarray:
    return np.bincount(np.where(ids < 0, num_objects, ids), minlength=num_objects + 1)


def _frame_persons(index: TPSIndex) -> np.ndarray:
    counts = np.bincount(index.person_frame[index.persons], minlength=len(index.frame_video))[index.frames]
    return np.bincount(np.minimum(counts, MOST_PERSONS), minlength=MOST_PERSONS + 1)


def _heights(index: TPSIndex, rows: _FrameRows) -> np.ndarray:
    boxes = index.boxes[index.persons]
    share = (boxes[:, 3] - boxes[:, 1]) / np.maximum(rows.height[index.person_frame[index.persons]], 1)
    bins = np.clip(np.floor(share * HEIGHT_BINS), 0, HEIGHT_BINS - 1).astype(np.int64)
    return np.bincount(bins, minlength=HEIGHT_BINS)


def _sizes(boxes: np.ndarray) -> BoxSizes:
    """Of boxes (N, 4) that are finite and not inverted, as the index's are."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    if not len(areas):
        return BoxSizes(np.full(len(QUANTILES), np.nan), np.zeros(3, dtype=np.int64))
    classes = np.array([(areas < SMALL).sum(), ((areas >= SMALL) & (areas < LARGE)).sum(), (areas >= LARGE).sum()])
    return BoxSizes(np.sqrt(np.quantile(areas, QUANTILES)), classes)
