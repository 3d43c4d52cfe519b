"""A system that parses a video in milliseconds, and what a collection may contain to end it. Workers import this."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from tpsparse.datasets.video import Video
from tpsparse.structures import FrameParse, VideoParse


class CheapSystem:
    """One person a frame, as large as the frame, with the frame's mean colour as its feature.

    A video named ``deadly`` kills the process, ``poison`` fills the memory, ``odd`` is met by an error of a library,
    ``slow`` takes a minute.

    Args:
        pause: Seconds that a video takes at least.
        fingerprint: Stands for configs and weights.
    """

    def __init__(self, pause: float = 0.0, fingerprint: str = "cheap") -> None:
        self.pause, self.fingerprint = pause, fingerprint

    def parse(self, path: Path, *, keep_features: bool) -> VideoParse:
        video = Video(path)
        time.sleep(60 if "slow" in path.name else self.pause)
        if "deadly" in path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "poison" in path.name:
            raise MemoryError("no memory left")
        if "odd" in path.name:
            raise ValueError("an odd number\nof channels")
        height, width = video.size
        frames = [
            FrameParse(
                number,
                np.array([[0.0, 0, width, height]]),
                person_features={"colour": image.mean((0, 1))[None]} if keep_features else {},
            )
            for number, image in video.decode()
        ]
        return VideoParse(video.name, size=video.size, num_frames=len(frames), fps=video.fps, frames=frames)

    def export(self, parse: VideoParse) -> dict[str, Any]:
        return {"video": parse.video, "frames": parse.frame_indices}


def refuses() -> CheapSystem:
    """As where the weights are missing."""
    from tpsparse.errors import InputError

    raise InputError("weights.pth is missing: train it")


def dies() -> CheapSystem:
    """As where the memory does not hold the networks."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
