"""Videos and stand-ins for what finds people, for tests that need no MediaPipe."""

from __future__ import annotations

from pathlib import Path

import bodies
import numpy as np

from tpsparse.poses.landmarks import Pose
from tpsparse.visualization import write_video

SIZE = (96, 128)


def grey(number: int) -> int:
    """The grey of a frame, from 1: far enough apart to be told after encoding."""
    return 16 + 8 * (number - 1)


def make_video(path: Path, frames: int = 12, *, size: tuple[int, int] = SIZE, fps: float = 10.0) -> Path:
    """A video whose every frame is of one grey."""
    pictures = (np.full((*size, 3), grey(number), dtype=np.uint8) for number in range(1, frames + 1))
    target = path if path.suffix == ".mp4" else path.with_suffix(".mp4")
    write_video(target, pictures, fps)
    return target.rename(path)


def frame_number(image: np.ndarray) -> int:
    """Which frame of a made video this is."""
    return round((float(image.mean()) - 16) / 8) + 1


class MadeEstimator:
    """One upright person 90 pixels tall who walks a pixel a frame; nobody in videos that are higher than wide."""

    asked: list[int] = []

    def __init__(self, views: list[tuple[int, int, int, int]], **options: object) -> None:
        self.somebody = views[0][2] >= views[0][3]

    def __enter__(self) -> MadeEstimator:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def find(self, image: np.ndarray) -> list[Pose]:
        """The person in a frame."""
        number = frame_number(image)
        MadeEstimator.asked.append(number)
        if not self.somebody:
            return []
        world = bodies.hanging()
        points = world * 50 + np.array([60.0 + number, 46.0, 0.0])
        return [Pose(points, world, np.ones(33), 0.9)]
