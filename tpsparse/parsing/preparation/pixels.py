"""Resampling of whole batches of pictures: OpenCV's numbers, on a CPU by OpenCV and elsewhere by torch.

Shapes: T or n pictures of H x W pixels, N crops, C places in a picture, h x w pixels of a result.

OpenCV resamples bytes in whole numbers, so the same numbers come out wherever its steps are followed: linear
interpolation has weights of 11 binary digits when it resizes (``modules/imgproc/src/resize.cpp``) and places of 5 when
it warps (``imgwarp.cpp``, ``remap`` with INTER_BITS = 5). What decides those weights and places is a few numbers a row
and a column, which are worked out in NumPy, in the precision that OpenCV uses. All is equal bit for bit to OpenCV 4.11
without the inexact routines of IPP, which are off by default; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

Pictures = Tensor | Sequence[np.ndarray]
"""(n, H, W, 3) uint8, or n arrays (H, W, 3) of one size."""
Place = tuple[int, int, int, int]
"""A rectangle of whole pixels: top, left, height and width."""
Draw = Callable[[int, np.ndarray], None]
"""Draws on the crop (h, w, 3) of a number, in place."""

RESIZE_ONE = 2048
"""1 among the weights of a resized picture."""
GRID = 32
"""Places a pixel between which a warp does not tell, in each direction."""
FINE = 1024
"""Steps a pixel in which a warp adds up its places, before they are rounded to the grid."""
FARTHEST = 2**15
"""Pixels from the first beyond which OpenCV's places of a warp end; there is no picture there."""


def resize_u8(images: Pictures, size: tuple[int, int]) -> Tensor:
    """Pictures resized by linear interpolation, as ``cv2.resize`` does: (n, 3, h, w) uint8.

    Args:
        images: Pictures of one size.
        size: (h, w).
    """
    return resize_places_u8(images, size, [(0, 0, *size)])[:, 0]


def resize_places_u8(images: Pictures, size: tuple[int, int], places: Sequence[Place]) -> Tensor:
    """The same, of which only some places of one size are kept: (n, C, 3, h, w) uint8.

    Args:
        images: Pictures of one size.
        size: (height, width) that they are resized to.
        places: C rectangles inside, each of h x w pixels.
    """
    if isinstance(images, Tensor) and not _is_cpu(images):
        whole = resize_by_torch(images, size)
        return torch.stack([whole[..., y : y + h, x : x + w] for y, x, h, w in places], dim=1)
    pictures = images.numpy() if isinstance(images, Tensor) else images
    height, width = places[0][2:]
    resized = torch.empty(len(pictures), len(places), 3, height, width, dtype=torch.uint8)
    scratch = np.empty((*size, 3), dtype=np.uint8)
    for image, rows in zip(pictures, resized.numpy()):
        cv2.resize(image, size[::-1], dst=scratch, interpolation=cv2.INTER_LINEAR)
        for (y, x, h, w), planes in zip(places, rows):
            _split(scratch[y : y + h, x : x + w], planes)
    return resized


def warp_u8(
    images: Tensor, owner: np.ndarray, matrices: np.ndarray, *, size: tuple[int, int], draw: Draw | None = None
) -> Tensor:
    """Crops by linear interpolation, black beyond the picture, as ``cv2.warpAffine`` cuts them: (N, 3, h, w) uint8.

    Args:
        images: (T, H, W, 3) uint8.
        owner: (N,) whole numbers, the picture of each crop.
        matrices: (N, 2, 3) float64, from OpenCV's places in the picture (a pixel's centre is at whole numbers) to those
            in the crop.
        size: (h, w).
        draw: Draws on each crop before its channels are taken apart.
    """
    if not _is_cpu(images):
        crops = warp_by_torch(images, owner, matrices, size)
        return crops if draw is None else _drawn(crops, draw)
    pictures = images.numpy()
    crops = torch.empty(len(owner), 3, *size, dtype=torch.uint8)
    scratch = np.empty((*size, 3), dtype=np.uint8)
    for number, (picture, matrix, planes) in enumerate(zip(owner.tolist(), matrices, crops.numpy())):
        cv2.warpAffine(pictures[picture], matrix, size[::-1], dst=scratch, flags=cv2.INTER_LINEAR)
        if draw is not None:
            draw(number, scratch)
        _split(scratch, planes)
    return crops


def _is_cpu(images: Tensor) -> bool:
    return images.device.type == "cpu"


def _split(picture: np.ndarray, planes: np.ndarray) -> None:
    """The channels of a picture (h, w, 3) into planes (3, h, w), in place."""
    cv2.split(picture, list(planes))  # ten times as fast as NumPy's or torch's transposed copy


def _drawn(crops: Tensor, draw: Draw) -> Tensor:
    """Crops (N, 3, h, w) with drawings, for which they come to the CPU and go back."""
    pictures = crops.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    for number, picture in enumerate(pictures):
        draw(number, picture)
    return torch.from_numpy(pictures).to(crops.device).permute(0, 3, 1, 2).contiguous()


def resize_by_torch(images: Tensor, size: tuple[int, int]) -> Tensor:
    """:func:`resize_u8` in torch's whole numbers, on any device.

    Args:
        images: (n, H, W, 3) uint8.
        size: (h, w).
    """
    height, width = images.shape[1:3]
    if (height, width) == size:
        return images.permute(0, 3, 1, 2).contiguous()
    pixels = images.permute(0, 3, 1, 2).int()
    if (height, width) == (2 * size[0], 2 * size[1]):
        # OpenCV takes the mean of each four pixels when both sides are halved.
        return ((pixels.unfold(2, 2, 2).unfold(3, 2, 2).sum(dim=(4, 5)) + 2) >> 2).to(torch.uint8)
    columns, across = _on(images.device, *_resize_weights(width, size[1], hold_edges=True))
    rows, down = _on(images.device, *_resize_weights(height, size[0], hold_edges=False))
    wide = (pixels[..., columns[0]] * across[0] + pixels[..., columns[1]] * across[1]) >> 4
    above, below = (wide[..., rows[side], :] * down[side][:, None] >> 16 for side in (0, 1))
    return ((above + below + 2) >> 2).to(torch.uint8)


def _resize_weights(length: int, wanted: int, *, hold_edges: bool) -> tuple[np.ndarray, np.ndarray]:
    """For each of the wanted pixels of a side: its two pixels of the old side (2, wanted), and their weights.

    Args:
        length: Of the old side.
        wanted: Of the new one.
        hold_edges: Whether a pixel beyond the first or last takes that one alone, as OpenCV has it across. Down it
            gives both weights to that row, each rounded by itself.
    """
    scale = 1 / (wanted / length)
    place = ((np.arange(wanted) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(place)
    share = place - first
    if hold_edges:
        share[(first < 0) | (first >= length - 1)] = 0
    pixels = np.clip(np.stack([first, first + 1]), 0, length - 1).astype(np.int64)
    weights = np.rint(np.stack([np.float32(1) - share, share]) * np.float32(RESIZE_ONE))
    return pixels, weights.astype(np.int32)


def warp_by_torch(images: Tensor, owner: np.ndarray, matrices: np.ndarray, size: tuple[int, int]) -> Tensor:
    """:func:`warp_u8` in torch's whole numbers, on any device; the arguments are the same."""
    height, width = images.shape[1:3]
    device = images.device
    (x_rows, x_columns), (y_rows, y_columns) = _warp_steps(matrices, size)
    x, y = (
        (rows[:, :, None] + columns[:, None]) >> 5
        for rows, columns in (_on(device, x_rows, x_columns), _on(device, y_rows, y_columns))
    )
    x_share, y_share = x & (GRID - 1), y & (GRID - 1)
    x, y = (x >> 5).clamp(-FARTHEST, FARTHEST - 1), (y >> 5).clamp(-FARTHEST, FARTHEST - 1)
    pixels = images.reshape(-1, 3)
    (first,) = _on(device, owner.astype(np.int64)[:, None, None] * (height * width))
    total = torch.full((len(owner), *size, 3), GRID * GRID // 2, dtype=torch.int32, device=device)
    for below, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = y + below, x + right
        weight = (y_share if below else GRID - y_share) * (x_share if right else GRID - x_share)
        weight = weight * ((row >= 0) & (row < height) & (column >= 0) & (column < width))
        place = first + row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
        total += pixels[place] * weight[..., None].int()
    return (total >> 10).to(torch.uint8).permute(0, 3, 1, 2).contiguous()


def _warp_steps(
    matrices: np.ndarray, size: tuple[int, int]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """For x and for y in the picture: what a crop's row (N, h) and its column (N, w) add to the place, in 1 / FINE."""
    (a, b, move_x), (c, d, move_y) = np.moveaxis(np.asarray(matrices, dtype=np.float64), 0, -1)
    area = a * d - b * c
    inverse = np.divide(1.0, area, out=np.zeros_like(area), where=area != 0)
    # The order of the operations is OpenCV's: another one would round otherwise.
    a, b, c, d = d * inverse, b * -inverse, c * -inverse, a * inverse
    move_x, move_y = -a * move_x - b * move_y, -c * move_x - d * move_y
    rows, columns = np.arange(size[0], dtype=np.float64), np.arange(size[1], dtype=np.float64)
    half = FINE // GRID // 2
    x = _whole((b[:, None] * rows + move_x[:, None]) * FINE) + half, _whole(a[:, None] * columns * FINE)
    y = _whole((d[:, None] * rows + move_y[:, None]) * FINE) + half, _whole(c[:, None] * columns * FINE)
    return x, y


def _whole(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)


def _on(device: torch.device, *arrays: np.ndarray) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(array).to(device) for array in arrays)
