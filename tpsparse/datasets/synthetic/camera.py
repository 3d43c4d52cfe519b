"""A camera that looks at the floor from a little above, and the shot that follows it from frame to frame.

World: x to the image's right, y up, z towards the camera, metres; the floor is y = 0. Image: x right, y down, pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .raster import OVERSAMPLE, Canvas, Mark, Texture
from .skeleton import rotation

_LOOKED_AT = 0.85  # height in metres of the point on the optical axis above the world's origin


@dataclass(frozen=True)
class Camera:
    """A perspective camera.

    Args:
        pitch: Degrees it looks down.
        distance: Metres from the point it looks at.
        focal: Pixels a metre at that distance.
        centre: (x, y) of that point in the image.
    """

    pitch: float
    distance: float
    focal: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3) world to camera axes (right, up, towards the viewer)."""
        return rotation("x", self.pitch)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image (N, 3) x, y and depth in pixels, and pixels a metre (N,), of world points (N, 3)."""
        local = (points - np.array([0.0, _LOOKED_AT, 0.0])) @ self.axes.T
        scale = self.focal * self.distance / (self.distance - local[:, 2])
        image = local * scale[:, None] * np.array([1.0, -1.0, 1.0])
        image[:, :2] += self.centre
        return image, scale

    def rays(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eye (3,) and direction (..., 3) of the rays through image points, in world axes."""
        eye = np.array([0.0, 0.0, self.distance]) @ self.axes + np.array([0.0, _LOOKED_AT, 0.0])
        unit = self.focal * self.distance
        local = np.stack([(x - self.centre[0]) / unit, (self.centre[1] - y) / unit, -np.ones_like(x)], axis=-1)
        return eye, local @ self.axes

    @classmethod
    def framing(cls, points: np.ndarray, *, pitch: float, distance: float, window: tuple[float, ...]) -> Camera:
        """The camera that fits world points (N, 3) into an image window (x0, y0, x1, y1)."""
        image, _ = cls(pitch, distance).project(points)
        low, high = image[:, :2].min(axis=0), image[:, :2].max(axis=0)
        room = np.array([window[2] - window[0], window[3] - window[1]])
        focal = float((room / (high - low)).min())
        middle = np.array([window[0] + window[2], window[1] + window[3]]) / 2
        centre = middle - focal * (low + high) / 2
        return cls(pitch, distance, focal, (float(centre[0]), float(centre[1])))


@dataclass(frozen=True)
class Shot:
    """What one frame sees: the camera's image, zoomed about the middle of the frame and shifted by pixels."""

    size: tuple[int, int]
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def matrix(self) -> np.ndarray:
        """(2, 3) from the camera's image to the frame."""
        middle = np.array([self.size[1] / 2, self.size[0] / 2])
        offset = middle * (1 - self.zoom) + np.array(self.shift)
        return np.array([[self.zoom, 0, offset[0]], [0, self.zoom, offset[1]]])


class Painter:
    """Draws shapes given in the world onto a canvas, and remembers their shadows on the floor.

    Args:
        sun: (3,) world direction towards the light.
    """

    def __init__(self, camera: Camera, shot: Shot, sun: np.ndarray) -> None:
        self.camera, self.shot, self.sun = camera, shot, sun
        self.canvas = Canvas(shot.size, camera.axes @ sun * np.array([1.0, -1.0, 1.0]))
        self._casting: list[tuple[np.ndarray, np.ndarray, float]] = []

    def cone(self, start: np.ndarray, end: np.ndarray, radii: tuple[float, float], mark: Mark) -> None:
        """A limb between two world points; ``radii`` are metres."""
        ends = np.stack([start, end])
        image, scale = self._to_canvas(ends)
        self.canvas.cone(image, (float(radii[0] * scale[0]), float(radii[1] * scale[1])), mark)
        self._casting.append((start, end, max(radii)))

    def ellipsoid(self, centre: np.ndarray, axes: np.ndarray, mark: Mark, texture: Texture | None = None) -> None:
        """An ellipsoid at a world point; the columns of ``axes`` (3, 3) are its half axes in metres."""
        image, scale = self._to_canvas(centre[None])
        turned = np.diag([1.0, -1.0, 1.0]) @ self.camera.axes @ axes * scale[0]
        self.canvas.ellipsoid(image[0], turned, mark, texture)
        self._casting.append((centre, centre, float(np.sqrt((axes**2).sum(axis=0)[[0, 2]].max()))))

    def ball(self, centre: np.ndarray, radius: float, mark: Mark) -> None:
        """A sphere."""
        self.ellipsoid(centre, np.eye(3) * radius, mark)

    def shade_floor(self, background: np.ndarray) -> np.ndarray:
        """The background (H, W, 3) with the shadows laid on it."""
        blur = max(self.shot.size) / 110
        soft = cv2.GaussianBlur(self._shadow(), (0, 0), blur).astype(np.float32) / 255
        return background * (1 - 0.5 * soft[..., None])

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Continuous pixels (N, 2) of the frame where world points (N, 3) are seen, inside the frame or not."""
        image, _ = self.camera.project(points)
        return self._in_shot(image)

    def _in_shot(self, image: np.ndarray) -> np.ndarray:
        matrix = self.shot.matrix
        return image[:, :2] @ matrix[:, :2].T + matrix[:, 2]

    def _to_canvas(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image, scale = self.camera.project(points)
        image[:, :2] = (self._in_shot(image) + self.canvas.margin) * OVERSAMPLE
        zoom = self.shot.zoom * OVERSAMPLE
        image[:, 2] *= zoom
        return image, scale * zoom

    def _shadow(self) -> np.ndarray:
        """(H, W) uint8 mask of the floor that the shapes hide from the light."""
        shadow = np.zeros(self.shot.size, dtype=np.uint8)
        if not self._casting:
            return shadow
        points = np.array([end for shape in self._casting for end in shape[:2]])
        fallen = points - self.sun * (np.maximum(points[:, 1:2], 0) / self.sun[1])
        image, scale = self.camera.project(fallen)
        ends = np.round(self._in_shot(image)).astype(int).reshape(-1, 2, 2)
        widths = 1.3 * self.shot.zoom * scale[::2] * [radius for _, _, radius in self._casting]
        for (start, end), width in zip(ends.tolist(), widths):
            cv2.line(shadow, start, end, (255,), max(1, round(float(width))), cv2.LINE_AA)
        return shadow
