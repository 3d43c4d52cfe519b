"""RoIAlign as sums of rows, which uses all cores and 16 bits; torchvision's on the CPU uses one core and 32 bits.

Source: He et al., "Mask R-CNN", 2017, section 3, as torchvision 0.29 computes it, with as many samples in a bin as it
is cells high and wide (``sampling_ratio=0``).
Shapes: R regions of interest, C channels, a map of h x w cells, G x G bins of a region, s samples in a bin along an
axis.
"""

from __future__ import annotations

import torch
from mmcv.ops import RoIAlign
from torch import Tensor, nn
from torch.nn import functional


class BagRoIAlign(nn.Module):
    """What mmcv's ``RoIAlign`` gives, to rounding.

    A bin is the mean of samples that are bilinear each, so it is a weighted sum of the cells around them, and the
    weights are products of those along the two axes. Each cell is a row of a table, and each bin a bag of rows.

    Args:
        layer: The layer it stands for.
        dtype: Of the rows that are summed; sums are in float32.
    """

    def __init__(self, layer: RoIAlign, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.output_size = layer.output_size  # extractors ask for it
        self.spatial_scale = layer.spatial_scale
        self.aligned = layer.aligned
        self.dtype = dtype

    @staticmethod
    def fits(layer: nn.Module) -> bool:
        """Whether a layer is one that this can stand for."""
        return isinstance(layer, RoIAlign) and layer.sampling_ratio == 0 and layer.pool_mode == "avg"

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        """(R, C, G, G) float32 of a map (B, C, h, w) and regions (R, 5): position in the batch, and ``xyxy``."""
        channels, height, width = features.shape[1:]
        bins = self.output_size
        rows = features.to(self.dtype).permute(0, 2, 3, 1).reshape(-1, channels)
        low = rois[:, 1:3] * self.spatial_scale - 0.5 * self.aligned
        size = rois[:, 3:5] * self.spatial_scale - 0.5 * self.aligned - low
        size = size if self.aligned else size.clamp(min=1)
        samples = (size / size.new_tensor([bins[1], bins[0]])).ceil().long().clamp(min=0)
        pooled = features.new_zeros(len(rois), bins[0] * bins[1], channels, dtype=self.dtype)
        for across, down in torch.unique(samples, dim=0).tolist():
            if not across or not down:
                continue  # a region without an extent has no samples: 0
            chosen = ((samples[:, 0] == across) & (samples[:, 1] == down)).nonzero()[:, 0]
            x, x_weights = _along(low[chosen, 0], size[chosen, 0], width, across, bins[1])
            y, y_weights = _along(low[chosen, 1], size[chosen, 1], height, down, bins[0])
            first = rois[chosen, 0].long() * (height * width)
            cells = first.view(-1, 1, 1, 1, 1) + y[:, :, None, :, None] * width + x[:, None, :, None, :]
            weights = y_weights[:, :, None, :, None] * x_weights[:, None, :, None, :]
            bags = cells.flatten(3).flatten(0, 2)
            sums = functional.embedding_bag(
                bags, rows, mode="sum", per_sample_weights=weights.reshape(bags.shape).to(self.dtype)
            )
            pooled[chosen] = sums.view(len(chosen), -1, channels)
        return pooled.transpose(1, 2).reshape(len(rois), channels, *bins).float()


def _along(low: Tensor, size: Tensor, cells: int, samples: int, bins: int) -> tuple[Tensor, Tensor]:
    """The cells (R, G, s + 1) that a bin's samples lie between along one axis, and their weights.

    Samples of a bin are at most a cell apart, so they lie between s + 1 cells.

    Args:
        low: (R,) where the regions begin, in cells.
        size: (R,) of the regions.
        cells: Of the map.
        samples: s.
        bins: G.
    """
    steps = (torch.arange(bins * samples, device=low.device) + 0.5) / samples
    places = low[:, None] + steps * (size / bins)[:, None]
    inside = (places >= -1) & (places <= cells)
    places = places.clamp(min=0, max=cells - 1)
    left = places.floor()
    share = ((places - left) * inside).view(-1, bins, samples) / samples
    rest = ((1 - places + left) * inside).view(-1, bins, samples) / samples
    left = left.long().view(-1, bins, samples)
    first = left[..., :1]
    weights = torch.zeros(*left.shape[:2], samples + 1, device=low.device)
    weights.scatter_add_(2, left - first, rest).scatter_add_(2, left - first + 1, share)
    return (first + torch.arange(samples + 1, device=low.device)).clamp(max=cells - 1), weights
