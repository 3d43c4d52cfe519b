"""Keypoints of many persons' heatmaps at once, as mmpose's ``MSRAHeatmap`` finds them in one after the other.

Source: Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking", 2018, section 2: the place of the
greatest value, moved by a quarter of a cell towards the greater neighbour.

Shapes: N persons, J keypoints, h x w cells of a heatmap. Places are (x, y) with a cell's centre at whole numbers, and
so are mmpose's pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

STEP = 0.25
"""Cells that a keypoint is moved towards the greater neighbour of its cell."""
NOWHERE = -1.0
"""Both coordinates where no value of a heatmap is positive."""


def decode_heatmaps(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Places (N, J, 2) in cells and greatest values (N, J) of heatmaps (N, J, h, w), float32.

    Of equal values the first counts, row by row. NaN counts as the greatest value, as NumPy has it.
    """
    heatmaps = heatmaps.float()
    height, width = heatmaps.shape[-2:]
    values = heatmaps.flatten(2)
    scores, cells = values.max(dim=2)
    x, y = cells % width, cells // width
    # mmpose's bounds: the first inner column and row count as edges too, the last do not.
    inside_x = (x > 1) & (x < width - 1) & (y > 0)
    inside_y = (y > 1) & (y < height - 1) & (x > 0)
    steps = [_towards_greater(values, cells, step, inside) for step, inside in ((1, inside_x), (width, inside_y))]
    places = torch.stack([x, y], dim=-1).float() + torch.stack(steps, dim=-1)
    return torch.where((scores <= 0)[..., None], places.new_tensor(NOWHERE), places), scores


def _towards_greater(values: Tensor, cells: Tensor, step: int, inside: Tensor) -> Tensor:
    """The quarter cell (N, J) towards the greater of two neighbours; 0 between equal ones and at edges.

    Args:
        values: (N, J, h * w).
        cells: (N, J).
        step: From a cell to the next, in cells.
        inside: (N, J), whether both neighbours count.
    """
    last = values.shape[2] - 1
    before, after = ((cells + way).clamp(0, last)[..., None] for way in (-step, step))
    difference = (values.gather(2, after) - values.gather(2, before))[..., 0]
    # torch's sign of NaN is 0, NumPy's NaN.
    step_towards = torch.where(difference.isnan(), difference, difference.sign() * STEP)
    return torch.where(inside, step_towards, 0.0)


def to_frames(places: Tensor, *, scale: Tensor, size: Tensor, centres: Tensor, shown: Tensor) -> Tensor:
    """Places in heatmaps (N, J, 2) as mmpose's pixels of the frames, float32.

    Args:
        places: In cells.
        scale: (2,) pixels of the crop in a cell.
        size: (2,) width and height of the crop.
        centres: (N, 2) of the crops, in mmpose's pixels of the frames.
        shown: (N, 2) width and height that the crops show of the frames.
    """
    # mmpose's NumPy goes through float64 here, and float32 would be off by a ten thousandth of a pixel.
    crop = (places * scale).double() / size
    centres, shown = centres[:, None], shown[:, None]
    return (crop * shown + centres - 0.5 * shown).float()
