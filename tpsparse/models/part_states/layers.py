"""Layers of the network of part states. Shapes: N persons, K parts, R regions, C and D channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PartwiseLinear(nn.Module):
    """A linear layer for each part, with weights of its own.

    Args:
        num_parts: K.
        in_channels: C.
        out_channels: D.
    """

    def __init__(self, num_parts: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_parts, in_channels, out_channels))
        self.bias = nn.Parameter(torch.zeros(num_parts, 1, out_channels))
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, K, D) of inputs (N, K, C)."""
        return (torch.bmm(inputs.transpose(0, 1), self.weight) + self.bias).transpose(0, 1)


class RoIEmbedding(nn.Module):
    """Fully connected layers that parts and objects share, each with a ReLU; dropout behind all but the last.

    Args:
        in_channels: C of a region's features.
        roi_size: Side of a region's features in cells.
        fc_channels: Widths of the layers before the last; Faster R-CNN with VGG-16 has two of 4096.
        out_channels: D.
        dropout: Share of the channels that are dropped in training.
    """

    def __init__(
        self, *, in_channels: int, roi_size: int, fc_channels: Sequence[int], out_channels: int, dropout: float = 0.5
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        width = in_channels * roi_size**2
        for channels in fc_channels:
            layers += [nn.Linear(width, channels), nn.ReLU(), nn.Dropout(dropout)]
            width = channels
        self.layers = nn.Sequential(*layers, nn.Linear(width, out_channels), nn.ReLU())
        self.out_channels = out_channels
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, regions: Tensor) -> Tensor:
        """(R, D) of region features (R, C, roi_size, roi_size)."""
        return self.layers(regions)
