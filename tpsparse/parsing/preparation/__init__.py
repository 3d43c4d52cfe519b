"""What a test pipeline does to one input after the other, done to a whole batch at once, with the same numbers.

A preparation is found by its pipeline (:func:`find_preparation`), so that a config says once how inputs are prepared,
and training, testing and parsing cannot drift apart. What is not recognised goes through the pipeline item by item.

Shapes: n frames, N persons, K parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...registry import TRANSFORMS
from .batch import Batch
from .clips import ClipPreparation
from .frames import FramePreparation
from .normalising import Preprocess, as_batch
from .persons import PersonPreparation
from .poses import PosePreparation

Preparation = FramePreparation | PersonPreparation | PosePreparation | ClipPreparation
KINDS = ("frame", "person", "clip")

__all__ = [
    "Batch",
    "ClipPreparation",
    "FramePreparation",
    "PersonPreparation",
    "PosePreparation",
    "Preparation",
    "Preprocess",
    "as_batch",
    "find_preparation",
]


def find_preparation(
    pipeline: Sequence[dict[str, Any]], kind: str, *, flip_parts: np.ndarray | None = None
) -> Preparation | None:
    """The preparation of whole batches that a test pipeline stands for.

    Args:
        pipeline: Configs of the transforms.
        kind: What is prepared: ``frame``, ``person`` or ``clip``; what the result is called with differs.
        flip_parts: (K,) the twin of each part, which samples of person crops carry.

    Returns:
        None where the pipeline is another than those that are known, as for several views of one input.

    Raises:
        ValueError: If the kind is another.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    steps = [TRANSFORMS.build(step) for step in pipeline]
    if kind == "frame":
        return FramePreparation.of(steps)
    if kind == "clip":
        return ClipPreparation.of(steps)
    return PersonPreparation.of(steps, flip_parts) or PosePreparation.of(steps)
