"""Action instances, as the networks of temporal parsing eat them, and clips along their sub-actions.

Shapes: T frames, D channels, S segments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ...structures.temporal import TemporalSample
from ..frame_samplers import even_positions


@TRANSFORMS.register_module()
class PackInstance(BaseTransform):
    """Join an instance's features with what is annotated of it.

    Required keys: ``key``, ``features`` (T, D), ``boundaries``, ``label``, ``num_frames``, ``fps``.
    Gives ``inputs``, a tensor (T, D) float32, and ``data_samples``, a :class:`TemporalSample`.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        sample = TemporalSample.of(
            results["key"],
            results["num_frames"],
            results["boundaries"],
            label=results["label"],
            fps=results["fps"],
        )
        features = torch.as_tensor(np.ascontiguousarray(results["features"]), dtype=torch.float32)
        return dict(inputs=features, data_samples=sample)


@TRANSFORMS.register_module()
class SampleAlongSegments(BaseTransform):
    """Take clips along the segments of a video instead of evenly, in place of ``mmaction.SampleFrames``.

    Source: TAPOS (2020), sections 4 and 6.3, tables 1 and 4: TSN with segments "aligned with" sub-actions. The paper
    does not say how many clips each sub-action gets; here the clips are dealt to the segments in order by
    :func:`deal_clips`, and within a segment each of its clips comes from its own even part: a random place in
    training, the middle in testing. A clip longer than its part runs on into what follows, and starts earlier where
    the video ends. Without segments the video is one, which is TSN's own even sampling.

    Required keys: ``total_frames``, ``start_index``, and ``segments`` (S, 2) of positions from 0, first and end, if
    there are any.
    Added keys: ``frame_inds``, ``clip_len``, ``frame_interval``, ``num_clips``, as ``SampleFrames`` writes them.

    Args:
        num_clips: Clips of a video.
        clip_len: Frames of a clip.
        frame_interval: From one frame of a clip to the next.
        test_mode: Take the middles.
    """

    def __init__(self, num_clips: int, *, clip_len: int = 1, frame_interval: int = 1, test_mode: bool = False) -> None:
        if min(num_clips, clip_len, frame_interval) < 1:
            raise ValueError(f"got {num_clips} clips of {clip_len} frames {frame_interval} apart, expected 1 or more")
        self.num_clips, self.clip_len, self.frame_interval = num_clips, clip_len, frame_interval
        self.test_mode = test_mode

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        total = int(results["total_frames"])
        segments = results.get("segments")
        if segments is None or len(segments) == 0:
            segments = np.array([[0, total]])
        starts = self._starts(np.asarray(segments), total)
        frames = starts[:, None] + np.arange(self.clip_len) * self.frame_interval
        frames = np.mod(frames, total).reshape(-1) + results["start_index"]
        results["frame_inds"] = frames.astype(np.int32)
        results["clip_len"], results["frame_interval"] = self.clip_len, self.frame_interval
        results["num_clips"] = self.num_clips
        return results

    def _starts(self, segments: np.ndarray, total: int) -> np.ndarray:
        """(clips,) position of each clip's first frame."""
        beyond = (self.clip_len - 1) * self.frame_interval  # of a clip, behind its first frame
        starts = []
        for (first, end), clips in zip(segments, deal_clips(segments[:, 1] - segments[:, 0], self.num_clips)):
            room = max(end - first - beyond, 1)
            share = np.full(clips, 0.5) if self.test_mode else np.random.random(clips)
            starts.append(first + np.floor((np.arange(clips) + share) * room / max(clips, 1)))
        last = max(total - 1 - beyond, 0)
        return np.minimum(np.concatenate(starts).astype(np.int64), last)


def deal_clips(lengths: np.ndarray, num_clips: int) -> np.ndarray:
    """(S,) clips of each segment, in all ``num_clips``.

    Each segment gets an equal number, and one more of the rest goes to each of the longest, the earlier of equal ones
    first. Where there are more segments than clips, evenly chosen ones get one.

    Args:
        lengths: (S,) frames of the segments, S at least 1.
        num_clips: At least 1.
    """
    dealt = np.zeros(len(lengths), dtype=np.int64)
    if len(lengths) > num_clips:
        dealt[even_positions(len(lengths), num_clips)] = 1
        return dealt
    dealt += num_clips // len(lengths)
    dealt[np.argsort(-np.asarray(lengths), kind="stable")[: num_clips % len(lengths)]] += 1
    return dealt
