"""What surrounds the people of a video: the camera, the place, the light, and how each frame comes out of them.

Everything random is drawn from the generator that is handed in. Sizes are (height, width) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .backdrop import draw_backdrop, plate_margin
from .camera import Camera, Painter, Shot
from .skeleton import Skeleton

_HEAD_ROOM = 0.17  # metres


@dataclass(frozen=True)
class Setting:
    """A video without its people; ``gains`` (T,) is the brightness of each frame."""

    camera: Camera
    plate: np.ndarray
    shots: list[Shot]
    sun: np.ndarray
    gains: np.ndarray
    grain: np.ndarray

    def painter(self, frame: int) -> Painter:
        """An empty canvas for frame number ``frame`` (from 0)."""
        return Painter(self.camera, self.shots[frame], self.sun)

    def picture(self, painter: Painter, frame: int, palette: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB: what is painted, in the colours (inks, 3), before the place, with its shadow."""
        image = painter.canvas.composite(painter.shade_floor(self._background(frame)), palette)
        image = image * self.gains[frame] + np.roll(self.grain, (37 * frame, 59 * frame), axis=(0, 1))
        return np.clip(image, 0, 255).astype(np.uint8)

    def _background(self, frame: int) -> np.ndarray:
        shot = self.shots[frame]
        matrix = shot.matrix.copy()
        matrix[:, 2] -= shot.zoom * plate_margin(shot.size)
        size = (shot.size[1], shot.size[0])
        return cv2.warpAffine(self.plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def draw_setting(rng: np.random.Generator, points: np.ndarray, frames: int, size: tuple[int, int]) -> Setting:
    """A random setting whose camera sees all of ``points`` (N, 3), world metres."""
    camera = _draw_camera(rng, points, size)
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.25, 0.6), 1.0, rng.uniform(0.35, 0.7)])
    beat = 2 * np.pi * (np.arange(frames) / max(frames, 1) * rng.uniform(0.5, 2) + rng.random())
    return Setting(
        camera=camera,
        plate=draw_backdrop(rng, camera, size),
        shots=_draw_shots(rng, frames, size),
        sun=light / np.linalg.norm(light),
        gains=1 + rng.uniform(0, 0.05) * np.sin(beat),
        grain=(rng.standard_normal((*size, 1)) * rng.uniform(0.6, 2.4)).astype(np.float32),
    )


def outline(skeleton: Skeleton) -> np.ndarray:
    """(N, 3) points of a body that must be seen: the joints, and the head's outline around its middle."""
    points = np.stack(list(skeleton.points.values()))
    around = _HEAD_ROOM * np.array([[-1.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]])
    return np.concatenate([points, skeleton.points["head"] + around])


def _draw_camera(rng: np.random.Generator, points: np.ndarray, size: tuple[int, int]) -> Camera:
    height, width = size
    tall, wide = height * rng.uniform(0.76, 0.92), width * 0.92
    left = (width - wide) / 2 + width * rng.uniform(-0.03, 0.03)
    top = (height - tall) * rng.uniform(0.35, 0.65)
    window = (left, top, left + wide, top + tall)
    return Camera.framing(points, pitch=rng.uniform(5, 15), distance=rng.uniform(5.0, 7.5), window=window)


def _draw_shots(rng: np.random.Generator, frames: int, size: tuple[int, int]) -> list[Shot]:
    """A slow zoom and pan with a little shake."""
    side = max(size)
    time = np.linspace(-0.5, 0.5, frames) if frames > 1 else np.zeros(1)
    zoom = 1 + rng.uniform(-0.03, 0.03) + rng.uniform(-0.08, 0.08) * time
    pan = rng.uniform(-0.035, 0.035, 2)[:, None] * time * side * np.array([[1.0], [0.5]])
    shake = rng.standard_normal((2, frames + 4)) * rng.uniform(0.0, 0.006) * side
    shake = np.stack([np.convolve(row, np.full(5, 0.2), mode="valid") for row in shake])
    return [
        Shot(size, float(zoom[i]), (float(pan[0, i] + shake[0, i]), float(pan[1, i] + shake[1, i])))
        for i in range(frames)
    ]
