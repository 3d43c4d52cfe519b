"""RoIAlign between the graphs of a network: for maps as they give them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmcv.ops import RoIAlign
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from .precision import exactly
from .roi_align import BagRoIAlign


def pool_regions(network: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
    """Let a network's layers of regions take maps of 16 bits, or with the channels of a cell together, in place.

    On a processor they become :class:`.BagRoIAlign` where that can stand for them: torchvision's layer, on one core,
    takes as long as the graphs of all heads of a full-size cascade.

    Args:
        network: In testing.
        dtype: That the graphs compute in.
        device: Where it is.
    """
    turned = WeakTensorKeyDictionary()
    for layer in [each for each in network.modules() if isinstance(each, RoIAlign)]:
        if device.type == "cpu" and BagRoIAlign.fits(layer):
            layer.forward = _pool(BagRoIAlign(layer, dtype), turned)
        elif dtype != torch.float32:
            layer.forward = exactly(layer.forward, device)


def _pool(bags: BagRoIAlign, turned: WeakTensorKeyDictionary) -> Callable[[Tensor, Tensor], Tensor]:
    """The layer's call; all heads share a map (B, C, h, w) as it is turned round for the first, while it lives."""

    def pool(features: Tensor, rois: Tensor) -> Tensor:
        if features not in turned:
            turned[features] = features.to(bags.dtype).contiguous(memory_format=torch.channels_last)
        return bags(turned[features], rois)

    return pool
