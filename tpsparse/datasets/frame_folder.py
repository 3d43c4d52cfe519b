"""Frames of a data set's videos as images, for training that reads images instead of decoding.

    ROOT/<split>_frames/frames.json                              how all frames of the split were written
    ROOT/<split>_frames/<action>/<video>/img_00001.jpg           numbered from 1, as :class:`Video` numbers them
    ROOT/<split>_frames/<action>/<video>/video.json              which video it was; written last

A folder appears under its name when it is whole. Shapes: T frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from .extraction import VIDEO_FILE, Job, Kind, extract_all, reduced_size, write_folder
from .layout import frame_name, frames_folder
from .problems import ProblemLog
from .video import Video

VERSION = 1
_QUALITY = {"jpg": cv2.IMWRITE_JPEG_QUALITY, "webp": cv2.IMWRITE_WEBP_QUALITY}


@dataclass(frozen=True)
class FrameSettings:
    """How frames are written: the short side in pixels at most, the image format, and its quality up to 100."""

    short_side: int = 256
    format: str = "jpg"
    quality: int = 92
    version: int = VERSION

    def options(self) -> str:
        """The options of the tool that say the same."""
        return f"--short-side {self.short_side} --format {self.format} --quality {self.quality}"


class FrameFolder:
    """The extracted frames of one video, asked for by number as those of a :class:`Video`.

    Attributes:
        size: (H, W) of the images.
        video_size: (H, W) of the video's frames, in whose pixels boxes are annotated.
        about: What ``video.json`` says.

    Raises:
        InputError: If the folder has no whole set of frames.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            about = json.loads((self.path / VIDEO_FILE).read_text(encoding="utf-8"))
            self.num_frames: int = about["num_frames"]
            self.fps: float = about["fps"]
            self.size: tuple[int, int] = tuple(about["size"])
            self.video_size: tuple[int, int] = tuple(about["video_size"])
            self._suffix = f".{about['format']}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path} has no whole set of frames: run tools/prepare_data.py frames") from error
        self.about: dict[str, Any] = about

    @property
    def name(self) -> str:
        """Name of the video."""
        return self.path.name

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """The frames with these numbers, in the order asked, as (T, H, W, 3); a repeated one is read once.

        Raises:
            InputError: If a number is not in the video, or an image cannot be read.
        """
        if len(numbers) == 0:
            return np.zeros((0, *self.size, 3), dtype=np.uint8)
        if min(numbers) < 1:
            raise InputError(f"{self.path} was asked for frame {min(numbers)}: frames are numbered from 1")
        if max(numbers) > self.num_frames:
            raise InputError(
                f"{self.path} ends after frame {self.num_frames} but frame {max(numbers)} was asked for: "
                "its annotation is of another video; replace or remove it"
            )
        if len(numbers) == 1:
            return self._read(int(numbers[0]))[None]  # not copied: what most training samples ask for
        distinct, places = np.unique(np.asarray(numbers), return_inverse=True)
        return np.stack([self._read(int(number)) for number in distinct])[places]

    def _read(self, number: int) -> np.ndarray:
        path = self.path / frame_name(number, self._suffix)
        try:
            image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
        except (OSError, cv2.error):  # cv2 raises on no bytes at all
            image = None
        if image is None or image.shape[:2] != self.size:
            raise InputError(f"{path} cannot be read: remove its folder and run tools/prepare_data.py frames again")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)


def open_frames(root: str | Path, split: str, action: str, video: str) -> FrameFolder | None:
    """The extracted frames of a video, or None where there is no whole folder of them."""
    folder = frames_folder(Path(root), split) / action / video
    try:
        written = (folder / VIDEO_FILE).stat().st_mtime_ns
    except OSError:
        return None
    try:
        return _opened(folder, written)
    except InputError:
        return None


@lru_cache(maxsize=8192)
def _opened(folder: Path, written: int) -> FrameFolder:
    """A folder, looked at once a process unless it is written anew, at ``written``."""
    return FrameFolder(folder)


def extract_frames(
    root: Path,
    *,
    short_side: int = 256,
    image_format: str = "jpg",
    quality: int = 92,
    workers: int | None = None,
    progress: bool = True,
) -> ProblemLog:
    """Write the frames of every video of both splits as images, or what is still missing of them.

    A folder whose video has another size or time than when it was written is written again.

    Args:
        root: A data set in the official layout; it may have one split only.
        short_side: Pixels of the short side; smaller frames are not enlarged.
        image_format: "jpg" or "webp".
        quality: Of the images, 1 to 100.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Returns:
        The videos that cannot be read, or not to their end.

    Raises:
        InputError: If there is no video, a parameter cannot be used, frames are there that were written otherwise,
            another run is writing them, or the disk is full.
    """
    root, settings = Path(root), FrameSettings(short_side, image_format, quality)
    _check(root, settings)
    kind = Kind("frames", settings, frames_folder, FrameFolder, partial(_extract, settings=settings))
    return extract_all(root, kind, workers=workers, progress=progress)


def extract_video(path: Path, folder: Path, settings: FrameSettings) -> dict[str, Any]:
    """Write the frames of one video; see :func:`.extraction.write_folder`.

    Raises:
        InputError: If the folder cannot be written.
    """
    return write_folder(path, folder, partial(_write_images, settings=settings))


def _extract(job: Job, settings: FrameSettings) -> dict[str, Any]:
    return extract_video(*job, settings)


def _write_images(video: Video, folder: Path, settings: FrameSettings) -> dict[str, Any]:
    """Write the frames; how many there are, and of what size."""
    size = reduced_size(video.size, settings.short_side)
    options = [_QUALITY[settings.format], settings.quality]
    number = 0
    for number, frame in video.decode():  # noqa: B007 - the last number is used
        image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        if size != video.size:
            image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        content = cv2.imencode(f".{settings.format}", image, options)[1]
        (folder / frame_name(number, f".{settings.format}")).write_bytes(content.tobytes())
    return dict(num_frames=number, fps=video.fps, size=size, video_size=video.size, format=settings.format)


def _check(root: Path, settings: FrameSettings) -> None:
    if settings.format not in _QUALITY:
        raise InputError(f"{root}: frames cannot be written as {settings.format!r}: use {' or '.join(_QUALITY)}")
    if not 1 <= settings.quality <= 100:
        raise InputError(f"{root}: frames cannot have the quality {settings.quality}: use 1 to 100")
    if settings.short_side < 1:
        raise InputError(f"{root}: frames cannot have a short side of {settings.short_side} pixels: use 1 or more")
