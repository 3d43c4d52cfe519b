"""The network of a ``FrameEncoder``, to be counted: the encoder itself would ask for its weights."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor

from ...parsing import FrameEncoder
from ...registry import MODELS


class EncoderNetwork(BaseModel):
    """A backbone that encodes single frames, or the stacks of flow that stand for them.

    Args:
        model: Config of the ``FrameEncoder``.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__(model["data_preprocessor"])
        self.backbone = MODELS.build(model["backbone"])
        self.pipeline: list[dict[str, Any]] = model["pipeline"]
        self.flow_pairs: int = model.get("flow_pairs", 0)

    def forward(self, images: Tensor) -> Tensor:
        """Maps of images (N, C, H, W)."""
        return self.backbone(images)


def build_network(cfg: Config) -> BaseModel:
    """The model of a config, of an encoder the network alone; without trained weights."""
    if MODELS.get(cfg.model.type) is FrameEncoder:
        return EncoderNetwork(cfg.model)
    return MODELS.build(cfg.model)
