"""BN-Inception, the backbone of TSN's public releases. Shapes: N images of height h and width w, C channels.

Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
shift" (2015), figure 5, in the variant that Caffe's public model has and TSN was released with (Wang et al., "Temporal
segment networks", 2016): its branches, strides, poolings and names of layers, so that those weights fit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from .weights import fitting_weights, named_weights, read_weights

STEM = (64, 64, 192)
"""Channels of the 7 x 7 convolution, of the reduction, and of the 3 x 3 convolution behind it."""
STRIDE = 32
FIRST_CONVOLUTION = "conv1_7x7_s2"
_HE_INIT = [
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "Constant", "layer": "_BatchNorm", "val": 1},
]


class Block(NamedTuple):
    """Channels of the branches of one inception block.

    Attributes:
        one: Of the 1 x 1 branch; 0 in a block that halves the map, which has none.
        three_reduce: Before the 3 x 3 branch's convolution.
        three: Of the 3 x 3 branch.
        double_reduce: Before the two 3 x 3 convolutions of the double branch.
        double: Of either of them.
        pool: "avg" or "max", of the pooled branch.
        projection: Of the pooled branch; 0 in a block that halves the map: it passes its input on, pooled.
    """

    one: int
    three_reduce: int
    three: int
    double_reduce: int
    double: int
    pool: str
    projection: int

    @property
    def stride(self) -> int:
        """2 in a block that halves the map, else 1."""
        return 1 if self.projection else 2

    def scaled(self, width: float) -> Block:
        """The same block with ``width`` times the channels."""
        scaled: dict[str, Any] = {
            name: _scaled(value, width) for name, value in self._asdict().items() if name != "pool"
        }
        return self._replace(**scaled)

    def out_channels(self, in_channels: int) -> int:
        """Channels of all branches together."""
        return self.one + self.three + self.double + (self.projection or in_channels)


BLOCKS = {
    "3a": Block(64, 64, 64, 64, 96, "avg", 32),
    "3b": Block(64, 64, 96, 64, 96, "avg", 64),
    "3c": Block(0, 128, 160, 64, 96, "max", 0),
    "4a": Block(224, 64, 96, 96, 128, "avg", 128),
    "4b": Block(192, 96, 128, 96, 128, "avg", 128),
    "4c": Block(160, 128, 160, 128, 160, "avg", 128),
    "4d": Block(96, 128, 192, 160, 192, "avg", 128),
    "4e": Block(0, 128, 192, 192, 256, "max", 0),
    "5a": Block(352, 192, 320, 160, 224, "avg", 128),
    "5b": Block(352, 192, 320, 192, 224, "max", 128),
}


@MODELS.register_module()
class BNInception(BaseModule):
    """The convolutions of BN-Inception; full-size published weights want BGR images in 0 ... 255, less 104, 117, 128.

    Args:
        width: Times the published channels, in every layer; 0.25 gives 256 channels in place of 1024.
        in_channels: 3 for images, 10 for stacks of five pairs of optical flow.
        pretrained: Published or trained weights to begin with, a file or a URL, with any prefix, see
            :func:`.named_weights`.
            Weights of images begin a network of flow as in TSN: every channel of the first convolution is their mean
            over colours (Wang et al., 2016, section 3.2).
        partial_bn: Keep the statistics, scales and shifts of every batch normalization but the first in training, as
            TSN does for weights that were trained elsewhere. Batch normalization of random weights must learn.
        init_cfg: mmengine's; He initialization if not given.

    Attributes:
        out_channels: C of the output.

    Raises:
        ValueError: If the width leaves a layer without a channel.
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        in_channels: int = 3,
        pretrained: str | None = None,
        partial_bn: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(_HE_INIT if init_cfg is None else init_cfg)
        self.pretrained = pretrained
        self.partial_bn = partial_bn
        self.in_channels = in_channels
        first, reduced, last = (_scaled(channels, width) for channels in STEM)
        self._add(FIRST_CONVOLUTION, in_channels, first, 7, stride=2)
        self._add("conv2_3x3_reduce", first, reduced, 1)
        self._add("conv2_3x3", reduced, last, 3)
        self.blocks = {name: block.scaled(width) for name, block in BLOCKS.items()}
        self.out_channels = last
        for name, block in self.blocks.items():
            self._add_block(f"inception_{name}", self.out_channels, block)
            self.out_channels = block.out_channels(self.out_channels)

    def _add_block(self, name: str, inner: int, block: Block) -> None:
        if block.one:
            self._add(f"{name}_1x1", inner, block.one, 1)
        self._add(f"{name}_3x3_reduce", inner, block.three_reduce, 1)
        self._add(f"{name}_3x3", block.three_reduce, block.three, 3, stride=block.stride)
        self._add(f"{name}_double_3x3_reduce", inner, block.double_reduce, 1)
        self._add(f"{name}_double_3x3_1", block.double_reduce, block.double, 3)
        self._add(f"{name}_double_3x3_2", block.double, block.double, 3, stride=block.stride)
        if block.projection:
            self._add(f"{name}_pool_proj", inner, block.projection, 1)

    def _add(self, name: str, inner: int, outer: int, kernel: int, *, stride: int = 1) -> None:
        """A convolution and its batch normalization, side by side: so the published names have no dot in them."""
        self.add_module(name, nn.Conv2d(inner, outer, kernel, stride, padding=kernel // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(outer))

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, h, w) images to one map (N, out_channels, h // 32, w // 32).

        Raises:
            ValueError: If a side is no multiple of 32: the branches that halve a map would differ in size.
        """
        if images.shape[-2] % STRIDE or images.shape[-1] % STRIDE:
            raise ValueError(f"BNInception takes sides that are multiples of {STRIDE}, not {tuple(images.shape[-2:])}")
        maps = _halve(self._layer(FIRST_CONVOLUTION, images))
        maps = _halve(self._layers(maps, "conv2_3x3_reduce", "conv2_3x3"))
        for name, block in self.blocks.items():
            maps = self._block(f"inception_{name}", block, maps)
        return maps

    def _block(self, name: str, block: Block, maps: Tensor) -> Tensor:
        three = self._layers(maps, f"{name}_3x3_reduce", f"{name}_3x3")
        double = self._layers(maps, f"{name}_double_3x3_reduce", f"{name}_double_3x3_1", f"{name}_double_3x3_2")
        if not block.projection:
            return torch.cat([three, double, _halve(maps)], dim=1)
        pool = F.avg_pool2d if block.pool == "avg" else F.max_pool2d
        pooled = self._layer(f"{name}_pool_proj", pool(maps, 3, stride=1, padding=1))
        return torch.cat([self._layer(f"{name}_1x1", maps), three, double, pooled], dim=1)

    def _layers(self, maps: Tensor, *names: str) -> Tensor:
        for name in names:
            maps = self._layer(name, maps)
        return maps

    def _layer(self, name: str, maps: Tensor) -> Tensor:
        normalized = getattr(self, f"{name}_bn")(getattr(self, name)(maps))
        return F.relu(normalized, inplace=True)

    def init_weights(self) -> None:
        """Draw the weights, or take them from ``pretrained``.

        Raises:
            InputError: If the file cannot be read or is of another network.
        """
        if self.pretrained is None:
            super().init_weights()
            return
        found = named_weights(read_weights(self.pretrained), self.state_dict())
        first = f"{FIRST_CONVOLUTION}.weight"
        if first in found:
            found[first] = _spread(found[first], self.in_channels)
        weights = fitting_weights(found, self.state_dict(), self.pretrained)
        self.load_state_dict(weights, strict=False)  # older files do not count batches
        self._is_init = True

    def train(self, mode: bool = True) -> BNInception:
        """Go to training, but for the batch normalizations that are kept."""
        super().train(mode)
        if mode and self.partial_bn:
            norms = [layer for layer in self.children() if isinstance(layer, nn.BatchNorm2d)]
            for layer in norms[1:]:
                layer.eval().requires_grad_(False)
        return self


def _scaled(channels: int, width: float) -> int:
    """So many times the channels; no channels stay none."""
    scaled = round(channels * width)
    if channels and scaled < 1:
        raise ValueError(f"BNInception of width {width} has no channel left of {channels}: choose a larger width")
    return scaled


def _halve(maps: Tensor) -> Tensor:
    """Half the size by the largest of 3 x 3; Caffe rounds sizes up."""
    return F.max_pool2d(maps, 3, stride=2, ceil_mode=True)


def _spread(weight: Tensor, channels: int) -> Tensor:
    """The first convolution's weights (C, K, 7, 7) for another number of input channels."""
    if weight.shape[1] == channels:
        return weight
    return weight.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1)
