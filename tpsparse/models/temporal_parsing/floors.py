"""Floors: what a parser that does not look at the frames reaches. Shapes: T frames, B boundaries."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...evaluation.functional.boundaries import even_boundaries
from ...registry import MODELS
from ...structures.temporal import TemporalSample
from .base import Parsing, TemporalParser


@MODELS.register_module()
class NoBoundary(TemporalParser):
    """Every instance is one sub-action: recall and F1 are 0, and so is precision by the evaluators' convention.

    Args:
        init_cfg: Weights, as in every mmengine module.
    """

    def fit(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> None:
        """There is nothing to learn; the instances are not read."""

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        return Parsing(torch.empty(0, dtype=torch.int64, device=features.device))


@MODELS.register_module()
class EvenBoundaries(TemporalParser):
    """Every instance has as many boundaries as the training instances have on average, evenly spaced.

    The mean is rounded, a half upwards; see :func:`even_boundaries` for the places.

    Args:
        init_cfg: Weights, as in every mmengine module.
    """

    mean_number: Tensor

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.register_buffer("mean_number", torch.zeros((), dtype=torch.float64))

    @property
    def number(self) -> int:
        """B, of every instance that is long enough."""
        return int(np.floor(float(self.mean_number) + 0.5))

    def fit(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> None:
        """Count boundaries.

        Raises:
            InputError: If there is no instance.
        """
        numbers = [len(sample.boundaries) for _, sample in samples]
        if not numbers:
            raise InputError("the training set has no instance to count boundaries of: use another split")
        self.mean_number.fill_(sum(numbers) / len(numbers))

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        return Parsing(torch.from_numpy(even_boundaries(len(features), self.number)).to(features.device))
