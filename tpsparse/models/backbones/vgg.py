"""VGG as the backbone of a detector: one map at stride 16.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015), table 1,
without its last pooling and its fully connected layers, as Faster R-CNN takes it (Ren et al., 2015, section 3).
"""

from __future__ import annotations

from typing import Any

from mmcv.cnn.vgg import VGG as PublishedVGG
from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...registry import MODELS

_HE_INIT = [
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "Constant", "val": 1, "layer": "_BatchNorm"},
]


@MODELS.register_module()
class VGG(BaseModule):
    """The convolutions of VGG, under the names ``features.N`` that mmcv's and torchvision's weights have.

    mmcv has the layers and their numbers; its class has one fixed width and is registered nowhere.

    Args:
        depth: 11, 13, 16 or 19.
        base_channels: Channels of the first stage; the next three double them, the fifth has as many as the fourth.
            Published weights have 64.
        frozen_stages: So many of the five stages, from the first, are not trained; -1 or 0 for none.
        norm_cfg: ``dict(type="BN")`` for batch normalization behind each convolution, with ``requires_grad=False`` if
            its weights are not trained; None for the plain network.
        norm_eval: Whether batch normalization keeps its running statistics in training; a network that begins with
            random weights wants False.
        init_cfg: mmengine's; He initialization if not given, as mmcv's class has it.

    Raises:
        ValueError: If the depth is none of the four, or another normalization is asked for.
    """

    def __init__(
        self,
        depth: int,
        base_channels: int = 64,
        frozen_stages: int = -1,
        norm_cfg: dict[str, Any] | None = None,
        norm_eval: bool = True,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(_HE_INIT if init_cfg is None else init_cfg)
        if depth not in PublishedVGG.arch_settings:
            raise ValueError(f"VGG has depths {', '.join(map(str, PublishedVGG.arch_settings))}, not {depth}")
        if norm_cfg is not None and norm_cfg.get("type") != "BN":
            raise ValueError(f"VGG has batch normalization (type='BN') or none, not {norm_cfg}")
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        layers: list[nn.Module] = []
        self.stage_ends: list[int] = []
        inner = 3
        for stage, convolutions in enumerate(PublishedVGG.arch_settings[depth]):
            outer = base_channels * 2 ** min(stage, 3)
            layers += make_vgg_layer(inner, outer, convolutions, with_bn=norm_cfg is not None)
            self.stage_ends.append(len(layers))
            inner = outer
        self.out_channels = inner
        self.features = nn.Sequential(*layers[:-1])  # without the last pooling: stride 16
        if norm_cfg is not None and not norm_cfg.get("requires_grad", True):
            _freeze(*(layer for layer in layers if isinstance(layer, _BatchNorm)))
        self._freeze_stages()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """(N, 3, h, w) images to one map (N, 8 * base_channels, h // 16, w // 16)."""
        return (self.features(images),)

    def train(self, mode: bool = True) -> VGG:
        """Go to training, but for frozen stages and, if so built, batch normalization."""
        super().train(mode)
        if mode:
            self._freeze_stages()
            for layer in self.features if self.norm_eval else ():
                if isinstance(layer, _BatchNorm):
                    layer.eval()
        return self

    def _freeze_stages(self) -> None:
        if self.frozen_stages > 0:
            frozen = self.features[: self.stage_ends[self.frozen_stages - 1]]
            frozen.eval()
            _freeze(frozen)


def _freeze(*layers: nn.Module) -> None:
    for layer in layers:
        layer.requires_grad_(False)
