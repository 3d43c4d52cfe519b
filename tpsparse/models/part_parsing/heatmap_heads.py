"""State heads that say states by heatmaps, the variants of DAP's table 4 (Wang et al. 2021, section 3.3).

Shapes: N crops, d channels, K parts, S states, h x w cells of a heatmap.
"""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from ..losses import part_state_mse, state_map_mse
from .heads import CONV_INIT, two_convolutions

NO_HEAT = 1e-6  # mean heat up to which a box says nothing of its state
NO_AREA = 1e-6  # cells


@MODELS.register_module()
class StateHeatmapModule(BaseModule):
    """One heatmap a state, beside the part heatmaps of a part head: "separated heatmaps".

    The heatmap of a state is 1 wherever a part in that state is, whichever part; the state of a part is read from
    the heatmaps inside the part's box. What is found there may belong to another part that overlaps: of a box that
    lies wholly inside another's, perfect heatmaps leave a tie.

    Args:
        in_channels: d, channels of the visual features; the state features have as many.
        num_states: S.
        init_cfg: Weights, as in every mmengine module.
    """

    def __init__(self, *, in_channels: int, num_states: int, init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg or CONV_INIT)
        self.feature_dim = in_channels
        self.features = two_convolutions(in_channels)
        self.heatmaps = nn.Conv2d(in_channels, num_states, kernel_size=1)

    def forward(self, visual: Tensor) -> tuple[Tensor, Tensor]:
        """State features (N, d), pooled, and heatmaps (N, S, h, w) of visual features (N, d, h, w)."""
        features = self.features(visual)
        return features.mean(dim=(2, 3)), self.heatmaps(features)

    def loss(self, output: Tensor, masks: Tensor, states: Tensor) -> Tensor:
        """Squared error of heatmaps (N, S, h, w), given part masks (N, K, h, w) and states (N, K), -1 unknown."""
        return state_map_mse(output, masks, states)

    def scores(self, output: Tensor, coverage: Tensor) -> Tensor:
        """Shares (N, K, S) of the heat of (N, S, h, w) inside boxes that cover (N, K, h, w) of the cells."""
        return _shares(torch.einsum("nshw,nkhw->nks", output.float().clamp(min=0), _weights(coverage)))

    def mirror(self, output: Tensor, flip_parts: Tensor) -> Tensor:
        """Heatmaps (N, S, h, w) of mirrored crops, turned back; a state has no left and right."""
        return output.flip(-1)


@MODELS.register_module()
class SharedHeatmapModule(BaseModule):
    """One heatmap for every pair of a part and a state, decoded to the part's box and to its state; no part head.

    Squared error fits the expected target. A part is in exactly one state, so the expectations for its S heatmaps
    add up to that of its mask: their sum is the part's heatmap. And as the mask is the same in every state, the
    share of a heatmap in the heat inside the box is the probability of its state.

    Args:
        in_channels: d, channels of the visual features; the features have as many.
        num_parts: K.
        num_states: S.
        init_cfg: Weights, as in every mmengine module.
    """

    def __init__(
        self, *, in_channels: int, num_parts: int, num_states: int, init_cfg: dict | list | None = None
    ) -> None:
        super().__init__(init_cfg or CONV_INIT)
        self.num_parts = num_parts
        self.feature_dim = in_channels
        self.features = two_convolutions(in_channels)
        self.heatmaps = nn.Conv2d(in_channels, num_parts * num_states, kernel_size=1)

    def forward(self, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, d), pooled, and heatmaps (N, K, S, h, w) of visual features (N, d, h, w)."""
        features = self.features(visual)
        return features.mean(dim=(2, 3)), self.heatmaps(features).unflatten(1, (self.num_parts, -1))

    def part_heatmaps(self, output: Tensor) -> Tensor:
        """Heatmaps (N, K, h, w) of the parts, from those (N, K, S, h, w) of the pairs."""
        return output.sum(dim=2)

    def loss(self, output: Tensor, masks: Tensor, states: Tensor) -> Tensor:
        """Squared error of heatmaps (N, K, S, h, w), given part masks (N, K, h, w) and states (N, K), -1 unknown."""
        return part_state_mse(output, masks, states)

    def scores(self, output: Tensor, coverage: Tensor) -> Tensor:
        """Shares (N, K, S) of the heat of (N, K, S, h, w) inside boxes that cover (N, K, h, w) of the cells."""
        return _shares(torch.einsum("nkshw,nkhw->nks", output.float().clamp(min=0), _weights(coverage)))

    def mirror(self, output: Tensor, flip_parts: Tensor) -> Tensor:
        """Heatmaps (N, K, S, h, w) of mirrored crops, turned back, left and right parts exchanged."""
        return output.flip(-1)[:, flip_parts]


def _weights(coverage: Tensor) -> Tensor:
    """What a cell counts in the mean over a box that covers (N, K, h, w); 0 everywhere in a box without area."""
    coverage = coverage.float()
    return coverage / coverage.sum(dim=(2, 3), keepdim=True).clamp(min=NO_AREA)


def _shares(heat: Tensor) -> Tensor:
    """Each state's share of the mean heats (N, K, S) of a box; equal shares where there is no heat."""
    total = heat.sum(dim=-1, keepdim=True)
    return torch.where(total > NO_HEAT, heat / total.clamp(min=NO_HEAT), 1 / heat.shape[-1])
