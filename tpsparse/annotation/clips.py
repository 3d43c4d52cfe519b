"""The videos of the data set: a copy of what was given, or clips cut from it.

Frames are numbered from 1.
"""

from __future__ import annotations

import shutil
from collections import deque
from itertools import islice
from pathlib import Path

import av

from ..datasets.video import Video, frames_of
from ..errors import InputError
from ..structures.files import atomic_write
from ..visualization import write_video
from .labels import usable_fps


def clip_lengths(num_frames: int, fps: float, seconds: float | None) -> list[int]:
    """Frames of each clip: as many equal ones of about ``seconds`` as fit best, with no frame left over.

    Args:
        num_frames: Of the video.
        fps: Frames a second.
        seconds: Of a clip; None for the whole video.
    """
    count = 1 if seconds is None else max(1, round(num_frames / (seconds * fps)))
    count = min(count, max(num_frames, 1))
    return [(i + 1) * num_frames // count - i * num_frames // count for i in range(count)]


def clip_names(name: str, count: int) -> list[str]:
    """Names of the clips of a video; one that is not cut keeps its name."""
    return [name] if count == 1 else [f"{name}_clip{i:03d}" for i in range(1, count + 1)]


def write_clips(source: Path, targets: list[Path], lengths: list[int]) -> None:
    """Write the clips of a video that are not there yet.

    A whole video in an mp4 container is copied byte for byte. All else is encoded anew as H.264, since a cut without
    encoding would begin at the key frame before it and shift the frame numbers.

    Raises:
        InputError: If the video cannot be read or ends before its last clip begins.
    """
    if all(target.is_file() for target in targets):
        return
    video = Video(source)
    if len(targets) == 1 and _is_mp4(source):
        with atomic_write(targets[0]) as partial:
            shutil.copyfile(source, partial)
        return
    frames = frames_of(video)
    for target, length in zip(targets, lengths):
        wanted = islice(frames, length)
        if target.is_file():
            deque(wanted, maxlen=0)
            continue
        try:
            write_video(target, wanted, usable_fps(video.fps))
        except ValueError as error:
            raise InputError(f"{source} cannot be cut ({error}): replace it, or leave out --clip-seconds") from error


def _is_mp4(path: Path) -> bool:
    if path.suffix.lower() != ".mp4":
        return False
    with av.open(str(path)) as container:
        return "mp4" in container.format.name.split(",")
