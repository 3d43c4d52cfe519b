"""Which frames of a video are looked at, as rising frame numbers from 1."""

from __future__ import annotations

import numpy as np

from ..registry import FRAME_SAMPLERS


@FRAME_SAMPLERS.register_module()
class EveryFrame:
    """Frames 1, 1 + step, 1 + 2 step, ...; step 5 is what the challenge evaluates."""

    def __init__(self, step: int = 1) -> None:
        self.step = step

    def __call__(self, num_frames: int) -> list[int]:
        """Numbers of the frames wanted of a video of ``num_frames``."""
        return list(range(1, num_frames + 1, self.step))


@FRAME_SAMPLERS.register_module()
class EvenFrames:
    """``num`` frames at the middles of equal stretches of the video; all of them where it has fewer."""

    def __init__(self, num: int) -> None:
        self.num = num

    def __call__(self, num_frames: int) -> list[int]:
        """Numbers of the frames wanted of a video of ``num_frames``."""
        return (even_positions(num_frames, min(self.num, num_frames)) + 1).tolist()


def even_positions(available: int, wanted: int) -> np.ndarray:
    """(wanted,) positions from 0 at the middles of ``wanted`` equal stretches of ``available`` items."""
    return ((np.arange(wanted) + 0.5) * available / wanted).astype(int)
