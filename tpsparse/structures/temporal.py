"""One action instance as the networks of temporal parsing see it. Shapes: T frames, B inner boundaries, M patterns."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


class TemporalSample(BaseDataElement):
    """An instance, what is annotated of it, and what a parser has found.

    Boundaries are positions in the instance, counted from 0, of the first frame of each sub-action but the first: (B,)
    int64, strictly rising, each in 1 ... T - 1.

    Meta information, set by ``PackInstance``: ``key`` (``<video>/<instance>``), ``num_frames`` T, ``fps`` (0.0 if
    unknown), ``label`` (id of the action, -1 if unknown).

    Attributes:
        boundaries: The annotated ones.
        pred_boundaries: Those that a parser has found.
        scores: (T,) how likely each frame begins a sub-action; of parsers that tell.
        responses: (T, M) how strongly each frame excites each pattern; of parsers that have patterns.
    """

    @classmethod
    def of(
        cls, key: str, num_frames: int, boundaries: np.ndarray | Tensor, *, label: int = -1, fps: float = 0.0
    ) -> TemporalSample:
        """A sample before parsing."""
        meta = dict(key=key, num_frames=num_frames, label=label, fps=fps)
        return cls(metainfo=meta, boundaries=torch.as_tensor(boundaries, dtype=torch.int64))


def segments_of(boundaries: np.ndarray, length: int) -> np.ndarray:
    """The sub-actions between boundaries (B,): (B + 1, 2) int64 of first and end position, the end excluded."""
    edges = np.concatenate([[0], np.asarray(boundaries, dtype=np.int64), [length]])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def segment_ids(boundaries: Tensor, length: int) -> Tensor:
    """(T,) int64: which sub-action each frame belongs to, counted from 0."""
    marks = torch.zeros(length, dtype=torch.int64, device=boundaries.device)
    marks[boundaries] = 1
    return marks.cumsum(0)


def boundaries_of_changes(labels: Tensor) -> Tensor:
    """Where a sequence of labels (T,) changes: (B,) int64 positions, each of the first frame with another label."""
    return torch.nonzero(labels[1:] != labels[:-1]).flatten() + 1
