"""Part boxes as masks, and back (DAP, Wang et al. 2021, section 2.2).

Shapes: N crops, K parts, h x w cells of a heatmap. Boxes are float ``xyxy`` in pixels of the crop, continuous
coordinates; an absent part is four NaN. A cell is ``input_size / heatmap_size`` pixels, normally 4.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ...registry import MODELS

HALF = 0.5  # of its plateau: where the edge of a blurred mask lies
TAIL = 2  # cells beyond the half level that still hold the rest of an edge
REFINEMENTS = 2  # of columns by rows and rows by columns; more changes nothing measurable


@MODELS.register_module()
class PartMaskCodec:
    """Draws the part-specific binary mask of DAP, eq. 2, and finds the box of a predicted one.

    A cell holds the share of its area that the box covers, so 1 inside, 0 outside and a fraction at the border;
    the fraction is what lets :meth:`decode` return the box exactly instead of to the nearest cell.

    Args:
        input_size: (height, width) of the crop in pixels.
        heatmap_size: (height, width) of the heatmap in cells.

    Raises:
        ValueError: If a size is not two positive numbers.
    """

    def __init__(self, input_size: tuple[int, int], heatmap_size: tuple[int, int]) -> None:
        for name, size in (("input_size", input_size), ("heatmap_size", heatmap_size)):
            if len(size) != 2 or min(size) < 1:
                raise ValueError(f"{name} is {size}, expected (height, width) of at least 1")
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)

    def encode(self, part_boxes: Tensor) -> Tensor:
        """Masks (N, K, h, w) in [0, 1] of part boxes (N, K, 4); all 0 for an absent part.

        What lies outside the crop is cut off.
        """
        height, width = self.heatmap_size
        boxes = torch.nan_to_num(part_boxes / self._cell(part_boxes), nan=0.0)
        columns = _coverage(boxes[..., 0], boxes[..., 2], width)
        rows = _coverage(boxes[..., 1], boxes[..., 3], height)
        return rows[..., :, None] * columns[..., None, :]

    def decode(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes of the region around each heatmap's peak; the inverse of :meth:`encode`.

        A row and a column profile are taken through the region that is connected to the peak at half its height,
        each averaged over the extent of the other, and cut where its mass ends: an edge that is blurred on both
        sides keeps its place. A profile's own plateau counts as full coverage, so a faint mask gives the same box
        as a strong one; only where an extent is below two cells, and may have no fully covered cell, does the
        height of the peak decide between a wide faint and a narrow full mask.

        Exact for masks of boxes at least one cell wide and high, except where both sides are below two cells and
        cross a cell's border: then the area is kept and the shape is a guess within the possible ones.

        Args:
            heatmaps: (N, K, h, w), any real numbers.

        Returns:
            Boxes (N, K, 4) and scores (N, K), the mean heat inside the box, in [0, 1]. A heatmap without a
            positive value gives a box at its highest cell and score 0.

        Raises:
            ValueError: If the heatmaps are not of the codec's size.
        """
        if heatmaps.ndim != 4 or tuple(heatmaps.shape[2:]) != self.heatmap_size:
            raise ValueError(f"heatmaps have shape {tuple(heatmaps.shape)}, expected (N, K, {self.heatmap_size})")
        heat = heatmaps.float().clamp(min=0)
        columns, rows = _profiles(heat)
        column_level, row_level = _levels(columns, rows, heat.amax(dim=(2, 3)))
        x0, x1 = _edges(columns * column_level[..., None])
        y0, y1 = _edges(rows * row_level[..., None])
        boxes = torch.stack([x0, y0, x1, y1], dim=-1)
        return boxes * self._cell(boxes), self._mean_heat(heat, boxes)

    def _cell(self, like: Tensor) -> Tensor:
        """(4,) size of a cell in pixels, for x and y of both corners."""
        high, wide = (size / cells for size, cells in zip(self.input_size, self.heatmap_size))
        return like.new_tensor([wide, high, wide, high])

    def _mean_heat(self, heat: Tensor, boxes: Tensor) -> Tensor:
        inside = self.encode(boxes * self._cell(boxes))
        return ((heat * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1e-6)).clamp(max=1)


def _coverage(low: Tensor, high: Tensor, cells: int) -> Tensor:
    """Share (..., cells) of each cell that lies between low (...) and high (...), all in cells."""
    left = torch.arange(cells, device=low.device, dtype=low.dtype)
    return (torch.minimum(high[..., None], left + 1) - torch.maximum(low[..., None], left)).clamp(0, 1)


def _profiles(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Column (N, K, w) and row (N, K, h) profiles of the region around the peak, 1 at their plateau."""
    # The mean of the neighbours steadies the choice of a peak in noise; the cell itself breaks ties among them.
    smooth = (heat + functional.avg_pool2d(heat, 3, stride=1, padding=1)) / 2
    peak = smooth.flatten(2).argmax(dim=2)
    width = heat.shape[3]
    row, column = peak // width, peak % width
    through = smooth.gather(3, column[..., None, None].expand(*smooth.shape[:3], 1)).squeeze(3)
    rows = _around(through, row, tail=0)
    columns = heat.new_zeros(())
    for _ in range(REFINEMENTS):
        columns = _around((heat * (rows >= HALF)[..., :, None]).sum(dim=2), column, tail=TAIL)
        rows = _around((heat * (columns >= HALF)[..., None, :]).sum(dim=3), row, tail=TAIL)
    return columns, rows


def _around(profile: Tensor, anchor: Tensor, *, tail: int) -> Tensor:
    """The profile (..., n) over its maximum; 0 beyond ``tail`` cells from the run of halves at the anchor (...)."""
    place = torch.arange(profile.shape[-1], device=profile.device)
    anchor = anchor[..., None]
    low = profile < HALF * profile.gather(-1, anchor)
    start = torch.where(low & (place < anchor), place + 1, 0).amax(dim=-1, keepdim=True)
    stop = torch.where(low & (place > anchor), place, len(place)).amin(dim=-1, keepdim=True)
    kept = profile * ((place >= start - tail) & (place < stop + tail))
    run = profile * ((place >= start) & (place < stop))
    return (kept / run.amax(dim=-1, keepdim=True).clamp(min=1e-6)).clamp(max=1)


def _levels(columns: Tensor, rows: Tensor, peak: Tensor) -> tuple[Tensor, Tensor]:
    """The greatest coverage (N, K) that the plateau of each profile stands for.

    The peak (N, K) is the product of the two. More than two cells' mass needs a fully covered cell, so the level
    is 1; less mass can be as little as one cell's. Of the levels that are left the geometric middle is taken.
    """
    peak = peak.clamp(1e-6, 1)
    least_column, least_row = (_least_level(profile) for profile in (columns, rows))
    low = torch.maximum(least_column, peak)
    high = torch.maximum((peak / least_row).clamp(max=1), low)
    column = (low * high).sqrt()
    return column, torch.minimum(torch.maximum(peak / column, least_row), torch.ones_like(peak))


def _least_level(profile: Tensor) -> Tensor:
    mass = profile.sum(dim=-1)
    return torch.where(mass > 2, torch.ones_like(mass), 1 / mass.clamp(min=1))


def _edges(coverage: Tensor) -> tuple[Tensor, Tensor]:
    """Ends (...) in cells of the interval whose coverage (..., n) this is.

    From any cell border inside the interval the mass on either side is the distance to that end.
    """
    place = torch.arange(coverage.shape[-1], device=coverage.device, dtype=coverage.dtype)
    mass = coverage.sum(dim=-1)
    middle = ((coverage * (place + 0.5)).sum(dim=-1) / mass.clamp(min=1e-6)).round()
    before = (coverage * (place < middle[..., None])).sum(dim=-1)
    return middle - before, middle + mass - before
