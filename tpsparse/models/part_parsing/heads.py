"""The two modules on top of Parsing-HRNet's visual features (DAP, Wang et al. 2021, section 2.2).

A state head, here or in ``heatmap_heads.py``, owns what is particular to how it says states, its ``output``:
``forward(visual)`` gives the state feature and the output, ``loss(output, masks, states)`` compares it with the
annotation, ``scores(output, coverage)`` reads the probabilities of the states at given part boxes, and
``mirror(output, flip_parts)`` turns back what was found in mirrored crops.

Shapes: N crops, d channels, K parts, S states, h x w cells of a heatmap.
"""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from ..losses import softmax_focal_loss

CONV_INIT = {"type": "Normal", "layer": "Conv2d", "std": 0.01}
"""How the convolutions on top of the backbone start."""


@MODELS.register_module()
class PartParsingModule(BaseModule):
    """PPM: two convolutions for part features, a third for one heatmap a part.

    Args:
        in_channels: d, channels of the visual features; the part features have as many.
        num_parts: K.
        init_cfg: Weights, as in every mmengine module.
    """

    def __init__(self, *, in_channels: int, num_parts: int, init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg or CONV_INIT)
        self.feature_dim = in_channels
        self.features = two_convolutions(in_channels)
        self.heatmaps = nn.Conv2d(in_channels, num_parts, kernel_size=1)

    def forward(self, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Part features f_pa (N, d, h, w) and heatmaps (N, K, h, w) of visual features (N, d, h, w)."""
        features = self.features(visual)
        return features, self.heatmaps(features)


@MODELS.register_module()
class StateParsingModule(BaseModule):
    """SPM: pooled visual features, two fully connected layers for state features, one linear layer for logits.

    The report says neither the width between the two layers nor their activation: the width is the output's, and
    a ReLU follows each.

    Args:
        in_channels: d, channels of the visual features.
        num_parts: K.
        num_states: S.
        state_channels: Length of the state feature; 192 in the report.
        gamma: Focusing exponent of the loss; 0 is cross entropy.
        init_cfg: Weights, as in every mmengine module.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_parts: int,
        num_states: int,
        state_channels: int = 192,
        gamma: float = 2.0,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_parts = num_parts
        self.feature_dim = state_channels
        self.gamma = gamma
        self.features = nn.Sequential(
            nn.Linear(in_channels, state_channels),
            nn.ReLU(),
            nn.Linear(state_channels, state_channels),
            nn.ReLU(),
        )
        self.logits = nn.Linear(state_channels, num_parts * num_states)

    def forward(self, visual: Tensor) -> tuple[Tensor, Tensor]:
        """State features f_sta (N, state_channels) and logits (N, K, S) of visual features (N, d, h, w)."""
        features = self.features(visual.mean(dim=(2, 3)))
        return features, self.logits(features).unflatten(1, (self.num_parts, -1))

    def loss(self, output: Tensor, masks: Tensor, states: Tensor) -> Tensor:
        """Focal loss of logits (N, K, S) at states (N, K), -1 where unknown; the masks are not used."""
        return softmax_focal_loss(output, states, self.gamma)

    def scores(self, output: Tensor, coverage: Tensor) -> Tensor:
        """Probabilities (N, K, S) of logits (N, K, S); where the parts are does not matter."""
        return output.softmax(dim=-1)

    def mirror(self, output: Tensor, flip_parts: Tensor) -> Tensor:
        """Logits (N, K, S) of mirrored crops with left and right parts exchanged; ``flip_parts`` (K,) has the twins."""
        return output[:, flip_parts]


def two_convolutions(channels: int) -> nn.Sequential:
    """The layers from visual features (N, d, h, w) to features of the same shape, d = ``channels``."""
    return nn.Sequential(*_conv(channels), *_conv(channels))


def _conv(channels: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
