"""A stage without a network. Workers import this; tests do not, for whom the stages are those of the package."""

from __future__ import annotations

from typing import Any

import torch

from tpsparse.parsing import Stage
from tpsparse.registry import STAGES
from tpsparse.taxonomy import Taxonomy


@STAGES.register_module()
class WholeFrame(Stage):
    """One person a frame, as large as the frame, with its mean colour as a feature."""

    gives = ("boxes", "scores")

    def __init__(self, *, config: str, checkpoint: str, taxonomy: Taxonomy) -> None:
        self.config, self.checkpoint = config, checkpoint

    def parse_window(self, window: Any) -> None:
        """Every picture is one box."""
        height, width = window.images.shape[1:3]
        box = torch.tensor([[0.0, 0, width, height]])
        window.set_persons([box] * len(window), [torch.ones(1)] * len(window))
        window.person_features["colour"] = window.images.float().mean((1, 2))
