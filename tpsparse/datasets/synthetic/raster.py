"""Draw solid shapes with shading and a depth buffer.

Points are (x, y, z) in canvas pixels: x right, y down, z towards the viewer (larger hides smaller). The canvas is finer
than the frame (``OVERSAMPLE``) and has a margin around it, so that what leaves the frame is still counted.
Shapes of arrays: H, W canvas rows and columns; h, w those of one shape's own window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

OVERSAMPLE = 2
_AMBIENT = 0.42

# From unit-sphere coordinates (left, up, ahead), each (h, w), to ink numbers (h, w).
Texture = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Mark:
    """What a shape leaves on the canvas.

    Args:
        owner: Number in the owner buffer, above 0.
        ink: Row of the palette.
        cover: Bit set in the cover buffer, hidden or not; 0 for none.
    """

    owner: int
    ink: int
    cover: int = 0


class Canvas:
    """Depth, owner, ink, shade and cover buffers of one frame.

    Args:
        size: (height, width) of the frame in pixels.
        light: (3,) direction towards the light in canvas axes.
    """

    def __init__(self, size: tuple[int, int], light: np.ndarray) -> None:
        self.size = size
        self.margin = max(size) // 8
        shape = tuple(OVERSAMPLE * (side + 2 * self.margin) for side in size)
        self.light: tuple[float, float, float] = tuple((light / np.linalg.norm(light)).tolist())
        self.depth = np.full(shape, -np.inf, dtype=np.float32)
        self.owner = np.zeros(shape, dtype=np.uint8)
        self.ink = np.zeros(shape, dtype=np.uint8)
        self.shade = np.zeros(shape, dtype=np.float32)
        self.cover = np.zeros(shape, dtype=np.uint16)
        self._rows = np.arange(shape[0], dtype=np.float32)[:, None] + 0.5
        self._columns = np.arange(shape[1], dtype=np.float32) + 0.5

    def frame_window(self) -> tuple[slice, slice]:
        """The part of the canvas that is the frame."""
        rows, columns = (slice(OVERSAMPLE * self.margin, OVERSAMPLE * (self.margin + side)) for side in self.size)
        return rows, columns

    def cone(self, ends: np.ndarray, radii: tuple[float, float], mark: Mark) -> None:
        """A limb: two spheres of ``radii`` at ``ends`` (2, 3) and what lies between them."""
        (x0, y0, z0), (x1, y1, z1) = ends.tolist()
        r0, r1 = radii
        low, high = (min(x0 - r0, x1 - r1), min(y0 - r0, y1 - r1)), (max(x0 + r0, x1 + r1), max(y0 + r0, y1 + r1))
        window = self._window(low, high)
        if window is None:
            return
        dx, dy = self._offsets(window, x0, y0)
        ax, ay, az = x1 - x0, y1 - y0, z1 - z0
        flat = max(ax * ax + ay * ay, 1e-6)
        if az * az > flat:
            # Seen end on, the axis is too short to carry the depth: the nearer sphere closes the shape.
            near = int(az > 0)
            self.ellipsoid(ends[near], np.eye(3) * radii[near], mark)
        along = np.minimum(np.maximum(dx * (ax / flat) + dy * (ay / flat), 0), 1)
        radius = r0 + along * (r1 - r0)
        nx, ny = dx - along * ax, dy - along * ay
        square = radius * radius - nx * nx - ny * ny
        height = np.sqrt(np.maximum(square, 0))
        lx, ly, lz = self.light
        lambert = (nx * lx + ny * ly + height * lz) / radius
        self._stamp(window, square > 0, z0 + along * az + height, lambert, mark)

    def ellipsoid(self, centre: np.ndarray, axes: np.ndarray, mark: Mark, texture: Texture | None = None) -> None:
        """An ellipsoid whose half axes are the columns of ``axes`` (3, 3), at right angles, in canvas pixels."""
        reach = np.sqrt((axes[:2] ** 2).sum(axis=1)).tolist()
        x0, y0, z0 = centre.tolist()
        window = self._window((x0 - reach[0], y0 - reach[1]), (x0 + reach[0], y0 + reach[1]))
        if window is None:
            return
        # Into the unit sphere; a general inverse would wake the linear algebra library's threads for nine numbers.
        local = (axes / (axes**2).sum(axis=0)).T.astype(np.float32)
        quadric = local.T @ local
        dx, dy = self._offsets(window, x0, y0)
        (qxx, qxy, qxz), (_, qyy, qyz), (_, _, qzz) = quadric.tolist()
        slope = qxz * dx + qyz * dy
        rest = qxx * dx * dx + 2 * qxy * dx * dy + qyy * dy * dy - 1
        root = slope * slope - qzz * rest
        z = (np.sqrt(np.maximum(root, 0)) - slope) / qzz
        nx, ny, nz = qxx * dx + qxy * dy + qxz * z, qxy * dx + qyy * dy + qyz * z, slope + qzz * z
        lx, ly, lz = self.light
        lambert = (nx * lx + ny * ly + nz * lz) / (np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-6)
        ink = None
        if texture is not None:
            ink = texture(*(u * dx + v * dy + w * z for u, v, w in local.tolist()))
        self._stamp(window, root > 0, z0 + z, lambert, mark, ink)

    def _window(self, low: tuple[float, float], high: tuple[float, float]) -> tuple[slice, slice] | None:
        rows, columns = self.depth.shape
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]) + 2, columns), min(int(high[1]) + 2, rows)
        return (slice(y0, y1), slice(x0, x1)) if x0 < x1 and y0 < y1 else None

    def _offsets(self, window: tuple[slice, slice], x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = window
        dx = self._columns[columns] - x
        dy = self._rows[rows] - y
        return dx, dy

    def _stamp(
        self,
        window: tuple[slice, slice],
        inside: np.ndarray,
        z: np.ndarray,
        lambert: np.ndarray,
        mark: Mark,
        ink: np.ndarray | None = None,
    ) -> None:
        if mark.cover:
            self.cover[window] |= inside.astype(np.uint16) * np.uint16(mark.cover)
        wins = inside & (z > self.depth[window])
        np.copyto(self.depth[window], z, where=wins)
        np.copyto(self.shade[window], lambert, where=wins)
        np.copyto(self.owner[window], np.uint8(mark.owner), where=wins)
        np.copyto(self.ink[window], np.uint8(mark.ink) if ink is None else ink.astype(np.uint8), where=wins)

    def composite(self, background: np.ndarray, palette: np.ndarray) -> np.ndarray:
        """Lay the shapes over a background, edges smoothed.

        Args:
            background: (h, w, 3) float32 of the frame's size, 0 to 255; the result is of the same kind.
            palette: (inks, 3) colours, 0 to 255.
        """
        seen = (self.owner[self.frame_window()] > 0).view(np.uint8)
        x, y, width, height = (side // OVERSAMPLE for side in cv2.boundingRect(seen))
        image = background.astype(np.float32)
        if not width or not height:
            return image
        # Only the window that holds shapes, a pixel wider than they are.
        rows = slice(max(y - 1, 0), min(y + height + 2, self.size[0]))
        columns = slice(max(x - 1, 0), min(x + width + 2, self.size[1]))
        colour, alpha = self._smooth(rows, columns, palette.astype(np.float32))
        image[rows, columns] = image[rows, columns] * (1 - alpha[..., None]) + colour
        return image

    def _smooth(self, rows: slice, columns: slice, palette: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colour (h, w, 3), weighted by coverage (h, w), of the shapes in a window of the frame."""
        fine = tuple(
            slice(OVERSAMPLE * (self.margin + side.start), OVERSAMPLE * (self.margin + side.stop))
            for side in (rows, columns)
        )
        lambert = self.shade[fine]
        light = _AMBIENT + (1 - _AMBIENT) * np.maximum(lambert, 0) + 0.12 * np.minimum(lambert, 0)
        seen = (self.owner[fine] > 0).astype(np.float32)
        colour = np.take(palette, self.ink[fine], axis=0) * (light * _creases(self.depth[fine]) * seen)[..., None]
        size = (columns.stop - columns.start, rows.stop - rows.start)
        smooth = [cv2.resize(array, size, interpolation=cv2.INTER_AREA) for array in (colour, seen)]
        return smooth[0], smooth[1]


def _creases(depth: np.ndarray) -> np.ndarray:
    """(h, w) in [0.72, 1]: how much light is left where something stands clearly behind its neighbourhood."""
    drawn = depth > -np.inf
    solid = np.where(drawn, depth, depth.min(where=drawn, initial=np.float32(np.inf)))
    reach = max(3, 2 * (depth.shape[0] // 96) + 1)
    behind = cv2.blur(solid, (reach, reach)) - solid
    return np.clip(1 - behind / (3.0 * reach), 0.72, 1).astype(np.float32)
