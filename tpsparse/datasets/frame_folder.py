"""Frames of a data set's videos as images, for training that reads images instead of decoding.

    ROOT/<split>_frames/frames.json                              how all frames of the split were written
    ROOT/<split>_frames/<action>/<video>/img_00001.jpg           numbered from 1, as :class:`Video` numbers them
    ROOT/<split>_frames/<action>/<video>/video.json              which video it was; written last

A folder appears under its name when it is whole. Shapes: T frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from ..errors import InputError
from ..structures.files import write_json
from ..workers import Crashed, cores, run_pooled
from .layout import SPLITS, frame_name, frames_folder, video_paths, videos_folder
from .problems import ProblemLog
from .video import Video

SETTINGS_FILE, VIDEO_FILE, LOCK_FILE = "frames.json", "video.json", ".lock"
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
    splits = [split for split in SPLITS if videos_folder(root, split).is_dir()] or [SPLITS[0]]
    problems = ProblemLog()
    jobs = [job for split in splits for job in _jobs(root, split, problems)]
    if not jobs:
        raise InputError(f"{videos_folder(root, splits[0])} has no video: put them at <action>/<video>.mp4 there")
    with ExitStack() as held:
        for split in splits:
            held.enter_context(_claimed(frames_folder(root, split), settings))
        known = {job: about for job in jobs if (about := _current(*job)) is not None}
        with tqdm(total=len(jobs), initial=len(known), desc="frames", unit="video", disable=not progress) as bar:
            missing = [job for job in jobs if job not in known]
            for job, about in _each_written(missing, settings, workers):
                known[job] = about
                bar.update()
    for job in jobs:
        if known[job]["problem"]:
            problems.add(known[job]["skipped"], job[0], known[job]["problem"])
    return problems


def extract_video(path: Path, folder: Path, settings: FrameSettings) -> dict[str, Any]:
    """Write the frames of one video; what ``video.json`` says of it.

    A video that cannot be read gets no folder, and one whose end cannot be decoded the frames before it; either way
    ``skipped`` and ``problem`` say so.

    Raises:
        InputError: If the folder cannot be written.
    """
    try:
        video, state = Video(path), _state(path)
    except InputError as error:
        shutil.rmtree(folder, ignore_errors=True)  # of a video that was there before
        return {"skipped": "video", "problem": str(error).removeprefix(f"{path} ")}
    try:
        with _new_folder(folder) as partial_folder:
            count, size = _write_images(video, partial_folder, settings)
            about = {
                **state,
                "num_frames": count,
                "fps": video.fps,
                "size": size,
                "video_size": video.size,
                "format": settings.format,
                "skipped": "end of video",
                "problem": "",
            }
            if count < video.facts.num_frames:
                about["problem"] = f"has {video.facts.num_frames} frames but only {count} can be decoded"
            write_json(partial_folder / VIDEO_FILE, about)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}): make room or choose a folder that can be "
            "written, then repeat; what is whole is kept"
        ) from error
    return about


def _write_images(video: Video, folder: Path, settings: FrameSettings) -> tuple[int, tuple[int, int]]:
    """Number of the frames written, and their (H, W)."""
    size = _reduced(video.size, settings.short_side)
    options = [_QUALITY[settings.format], settings.quality]
    number = 0
    for number, frame in video.decode():  # noqa: B007 - the last number is used
        image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        if size != video.size:
            image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        content = cv2.imencode(f".{settings.format}", image, options)[1]
        (folder / frame_name(number, f".{settings.format}")).write_bytes(content.tobytes())
    return number, size


def _reduced(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(H, W) with a short side of ``short_side``, or as it is where that is smaller."""
    scale = min(1.0, short_side / min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder under a temporary name, which takes the place of ``folder`` when the block ends well."""
    _remove_partials(folder)
    made = folder.with_name(f".{folder.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.partial")
    made.mkdir(parents=True)
    try:
        yield made
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _remove_partials(folder: Path) -> None:
    """Remove what a process that was killed outright has left."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)


def _state(path: Path) -> dict[str, int]:
    """What changes when a video is replaced."""
    status = path.stat()
    return {"video_bytes": status.st_size, "video_mtime_ns": status.st_mtime_ns}


def _current(path: Path, folder: Path) -> dict[str, Any] | None:
    """What a whole folder says, unless its video has changed."""
    try:
        about = FrameFolder(folder).about
    except InputError:
        return None
    return about if all(about.get(key) == value for key, value in _state(path).items()) else None


def _jobs(root: Path, split: str, problems: ProblemLog) -> list[tuple[Path, Path]]:
    """(video, folder of its frames); of two videos of one name in a folder the first."""
    jobs: dict[Path, Path] = {}
    for path in video_paths(root, split):
        folder = frames_folder(root, split) / path.parent.name / path.stem
        if folder in jobs:
            problems.add("video", path, f"has the name of {jobs[folder].name}, whose frames are taken: rename one")
        else:
            jobs[folder] = path
    return [(path, folder) for folder, path in jobs.items()]


def _check(root: Path, settings: FrameSettings) -> None:
    if settings.format not in _QUALITY:
        raise InputError(f"{root}: frames cannot be written as {settings.format!r}: use {' or '.join(_QUALITY)}")
    if not 1 <= settings.quality <= 100:
        raise InputError(f"{root}: frames cannot have the quality {settings.quality}: use 1 to 100")
    if settings.short_side < 1:
        raise InputError(f"{root}: frames cannot have a short side of {settings.short_side} pixels: use 1 or more")


@contextmanager
def _claimed(folder: Path, settings: FrameSettings) -> Iterator[None]:
    """Keep other runs out of a split's frames, and refuse frames that were written otherwise.

    Raises:
        InputError: If another run is writing there, or the folder's settings differ or are missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / LOCK_FILE).acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{folder} is being written by another run: wait for it") from error
    with lock:
        path = folder / SETTINGS_FILE
        found = _read_settings(path)
        if found is None and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise InputError(f"{path} is missing or cannot be read: remove the folder and run this again")
        if found is None:
            write_json(path, asdict(settings))
        elif found.version != VERSION:
            raise InputError(f"{path} is of version {found.version}, not {VERSION}: remove the folder")
        elif found != settings:
            raise InputError(
                f"{path} is of frames written otherwise: remove the folder or repeat with {found.options()}"
            )
        yield


def _read_settings(path: Path) -> FrameSettings | None:
    try:
        return FrameSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _each_written(
    jobs: list[tuple[Path, Path]], settings: FrameSettings, workers: int | None
) -> Iterator[tuple[tuple[Path, Path], dict[str, Any]]]:
    """Every job with what came of it, in the order in which they end.

    Raises:
        InputError: As :func:`extract_video`.
    """
    for job, about in run_pooled(partial(_extract, settings=settings), jobs, workers or cores()):
        if isinstance(about, Crashed):
            _remove_partials(job[1])
            about = {"skipped": "video", "problem": "ends the process that reads it: replace or remove it"}
        yield job, about


def _extract(job: tuple[Path, Path], settings: FrameSettings) -> dict[str, Any]:
    return extract_video(*job, settings)
