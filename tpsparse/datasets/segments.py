"""Videos cut into segments, and the part states that are annotated in them.

A segment is a row (first, last, clip_first, clip_last) of frame numbers from 1, all included: what it speaks for, and
the stretch that its clips are drawn from. Segments of a video are in rising order and do not overlap.

A clip may be longer than its stretch: mmaction2's ``SampleFrames`` then begins again at the stretch's first frame
(``out_of_bound_opt="loop"``, its default), so a stretch of one frame gives a still clip, and one of three frames the
frames 1, 3, 2, 1, ... at interval 2; its several clips are then all alike. No frame outside the stretch is read.

Shapes: M segments of a split, N of one video, K parts, S states, L labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import InputError
from ..registry import SEGMENTERS
from ..structures.segments import LabelTable
from .index import ABSENT, TPSIndex

Segmenter = Callable[[int, float], np.ndarray]
"""From a video's number of frames and frames a second to its segments (N, 4) int64."""


@SEGMENTERS.register_module()
@dataclass(frozen=True)
class EqualSegments:
    """A video in equal stretches of about ``seconds``, which cover every frame once.

    Args:
        seconds: Length aimed at; None for the whole video, as the 2021 runner-up has it. A video whose frame rate is
            not known is one segment.

    Raises:
        InputError: If ``seconds`` is not above 0.
    """

    seconds: float | None = 3.0

    def __post_init__(self) -> None:
        _check_seconds(self.seconds, self)

    def __call__(self, num_frames: int, fps: float) -> np.ndarray:
        """(N, 4) segments of a video; a video shorter than a segment is one."""
        length = _frames_of(self.seconds, num_frames, fps)
        count = min(max(1, round(num_frames / length)), num_frames) if num_frames else 0
        bounds = np.arange(count + 1, dtype=np.int64) * num_frames // max(count, 1)
        stretches = np.stack([bounds[:-1] + 1, bounds[1:]], axis=1)
        return np.tile(stretches, (1, 2))


@SEGMENTERS.register_module()
@dataclass(frozen=True)
class FrameSegments:
    """One segment for each of the frames 1, 1 + step, ...: prediction frame by frame by a network of clips.

    The segment is that frame alone; its clips come from the stretch of ``frames`` about it, which is moved where it
    would leave the video. A stretch as long as a clip has one clip, which then holds the frame at any frame rate. A
    frame between takes the state of the nearest segment.

    Args:
        step: Every how many frames.
        frames: Length of the stretch; a shorter video is taken whole.

    Raises:
        InputError: If ``step`` or ``frames`` is below 1.
    """

    step: int = 5
    frames: int = 64

    def __post_init__(self) -> None:
        if self.step < 1:
            raise InputError(f"step {self.step} of FrameSegments takes no frame: give 1 or more")
        if self.frames < 1:
            raise InputError(f"frames {self.frames} of FrameSegments make no segment: give 1 or more")

    def __call__(self, num_frames: int, fps: float) -> np.ndarray:
        """(N, 4) segments of a video; the frame rate does not matter."""
        numbers = np.arange(1, num_frames + 1, self.step, dtype=np.int64)
        length = min(self.frames, num_frames)
        first = np.clip(numbers - length // 2, 1, num_frames - length + 1)
        return np.stack([numbers, numbers, first, first + length - 1], axis=1)


def cut_videos(index: TPSIndex, segmenter: Segmenter) -> tuple[np.ndarray, np.ndarray]:
    """Positions in ``index.videos`` (M,) and segments (M, 4) of all videos of a split, in order."""
    cuts = [segmenter(entry.num_frames, entry.fps) for entry in index.videos]
    video = np.repeat(np.arange(len(cuts)), [len(cut) for cut in cuts])
    return video, np.concatenate([np.zeros((0, 4), dtype=np.int64), *cuts])


def count_states(index: TPSIndex, group: str, video: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """How often each state is annotated in a part group, left and right and all persons together.

    Args:
        index: The split.
        group: Part group, as :attr:`Taxonomy.part_groups` names it.
        video: (M,) position of each segment's video, rising.
        segments: (M, 4).

    Returns:
        (M, S) int32.

    Raises:
        InputError: If the vocabulary has no such group.
    """
    members = np.isin(np.arange(len(index.taxonomy.parts)), _members(index, group))
    rows = index.parts[members[index.part_id[index.parts]]]
    segment_of_frame = np.full(len(index.frame_number), ABSENT, dtype=np.int64)
    segment_of_frame[index.frames] = _segments_of_frames(index, video, segments)
    segment = segment_of_frame[index.person_frame[index.part_person[rows]]]
    counts = np.zeros((len(segments), len(index.taxonomy.states)), dtype=np.int32)
    inside = segment >= 0
    np.add.at(counts, (segment[inside], index.state_id[rows][inside]), 1)
    return counts


def most_frequent(counts: np.ndarray) -> np.ndarray:
    """(M,) state of each segment from counts (M, S), the first of equals; -1 where nothing is annotated."""
    return np.where(counts.any(axis=1), counts.argmax(axis=1), ABSENT)


_TABLES: WeakKeyDictionary[TPSIndex, dict[tuple[str, float | None], LabelTable]] = WeakKeyDictionary()


def derive_label_table(index: TPSIndex, group: str, seconds: float | None) -> LabelTable:
    """The pairs of action and most frequent state of a part group in the segments of a split.

    Args:
        index: The training split; what was derived from it is kept as long as it is.
        group: Part group, as :attr:`Taxonomy.part_groups` names it.
        seconds: Length aimed at of a segment; None for whole videos.

    Raises:
        InputError: If the vocabulary has no such group, or no part of it is annotated.
    """
    known = _TABLES.setdefault(index, {})
    if (group, seconds) not in known:
        known[group, seconds] = _derive(index, group, seconds)
    return known[group, seconds]


def _derive(index: TPSIndex, group: str, seconds: float | None) -> LabelTable:
    video, segments = cut_videos(index, EqualSegments(seconds))
    state = most_frequent(count_states(index, group, video, segments))
    labelled = state >= 0
    if not labelled.any():
        told = f"{index.root} ({index.split}) has no annotated part of group {group}"
        raise InputError(f"{told}: annotate it or use another train_split")
    names = index.taxonomy
    pairs = np.unique(np.stack([index.video_actions[video[labelled]], state[labelled]], axis=1), axis=0)
    return LabelTable(group, seconds, tuple((names.actions[action], names.states[of]) for action, of in pairs))


def _members(index: TPSIndex, group: str) -> list[int]:
    groups = index.taxonomy.part_groups
    if group not in groups:
        raise InputError(f"{index.root} has no part group {group}: use one of {', '.join(groups)}")
    return groups[group]


def _segments_of_frames(index: TPSIndex, video: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """(F,) row of the segment that each annotated frame of the split lies in, -1 for none."""
    position, number = index.frame_video[index.frames].astype(np.int64), index.frame_number[index.frames]
    if not len(segments) or not len(number):
        return np.full(len(number), ABSENT, dtype=np.int64)
    # One number line for all videos: segments are in order on it.
    stride = max(int(segments[:, 1].max()), int(number.max())) + 1
    found = np.searchsorted(video * stride + segments[:, 0], position * stride + number, side="right") - 1
    inside = (found >= 0) & (video[found] == position) & (number <= segments[found, 1])
    return np.where(inside, found, ABSENT)


def _frames_of(seconds: float | None, num_frames: int, fps: float) -> float:
    """A length in frames; that of the video where none is given or its frame rate is not known."""
    return fps * seconds if seconds is not None and 0 < fps < math.inf else max(num_frames, 1)


def _check_seconds(seconds: float | None, segmenter: Any) -> None:
    if seconds is not None and not 0 < seconds < math.inf:
        name = type(segmenter).__name__
        raise InputError(f"seconds {seconds} of {name} make no segment: give more than 0, or None for whole videos")
