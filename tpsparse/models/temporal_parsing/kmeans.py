"""k-means: a boundary where the nearest of K centres changes. Shapes: T frames, D channels, K groups."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ...registry import MODELS
from ...structures.temporal import TemporalSample, boundaries_of_changes
from .base import Parsing, TemporalParser
from .clustering import frame_centres, nearest_centres


@MODELS.register_module()
class KMeansParser(TemporalParser):
    """The first row of the TAPOS paper's table 2 (Shao et al., CVPR 2020; k = 64).

    The frames of all training instances are clustered, and an instance begins a sub-action wherever a frame has another
    cluster than the one before it. The paper says no more than k; chosen here are Euclidean distance on features as
    they are, and a random sample of the frames to cluster (see :mod:`.clustering`). Nothing is smoothed.

    Args:
        channels: D.
        num_groups: K.
        init_cfg: Weights, as in every mmengine module.
    """

    centres: Tensor

    def __init__(self, *, channels: int, num_groups: int = 64, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg, channels=channels)
        self.register_buffer("centres", torch.zeros(num_groups, channels))

    def fit(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> None:
        """Find the centres.

        Raises:
            InputError: If the features have other channels, or there are fewer frames than groups.
        """
        self.centres.copy_(frame_centres(self.checked(samples), *self.centres.shape))

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        return Parsing(boundaries_of_changes(nearest_centres(features, self.centres)))
