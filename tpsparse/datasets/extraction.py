"""Images made of every video of a data set, once: a folder a video, each of them whole, gone on with when interrupted.

    ROOT/<split>_<kind>/<kind>.json                       how all images of the split were made
    ROOT/<split>_<kind>/<action>/<video>/                 the images, see frame_folder.py and flow.py
    ROOT/<split>_<kind>/<action>/<video>/video.json       which video it was; written last

A folder appears under its name when it is whole. Shapes: frames of height H and width W.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from ..errors import InputError
from ..structures.files import write_json
from ..structures.folder_lock import folder_lock
from ..workers import Crashed, cores, run_pooled
from .layout import INSTANCES, SPLITS, video_paths, videos_folder
from .problems import ProblemLog
from .video import Video

VIDEO_FILE = "video.json"
Job = tuple[Path, Path]
"""A video, and the folder of its images."""


class Settings(Protocol):
    """How images are made: a frozen dataclass of plain values."""

    @property
    def version(self) -> int:
        """Of the files; another one is not read."""

    def options(self) -> str:
        """The options of the tool that say the same."""


class Extracted(Protocol):
    """A whole folder of images."""

    about: dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is made of every video.

    Attributes:
        name: Of the command and of the settings' file: "frames" or "flow".
        settings: How it is made.
        folder: Where that of a split lies.
        open: Opens a video's folder; raises InputError where it is not whole.
        work: Makes one video's folder; as :func:`write_folder` returns. Pickled for other processes.
    """

    name: str
    settings: Any
    folder: Callable[[Path, str], Path]
    open: Callable[[Path], Extracted]
    work: Callable[[Job], dict[str, Any]]


def extract_all(root: Path, kind: Kind, *, workers: int | None, progress: bool) -> ProblemLog:
    """Make the folders of every video of all splits, or what is still missing of them.

    A folder whose video has another size or time than when it was made is made again.

    Args:
        root: A data set in the official layout, which may have one split only, or one of cut instances in TAPOS's.
        kind: What is made.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Returns:
        The videos that cannot be read, or not to their end.

    Raises:
        InputError: If there is no video, images are there that were made otherwise, another run is making them, or
            the disk is full.
    """
    splits = [split for split in (*SPLITS, INSTANCES) if videos_folder(root, split).is_dir()] or [SPLITS[0]]
    problems = ProblemLog()
    jobs = [job for split in splits for job in _jobs(root, split, kind, problems)]
    if not jobs:
        raise InputError(f"{videos_folder(root, splits[0])} has no video: put them at <action>/<video>.mp4 there")
    with ExitStack() as held:
        for split in splits:
            held.enter_context(_claimed(kind.folder(root, split), kind))
        known = {job: about for job in jobs if (about := _current(job, kind)) is not None}
        with tqdm(total=len(jobs), initial=len(known), desc=kind.name, unit="video", disable=not progress) as bar:
            missing = [job for job in jobs if job not in known]
            for job, about in _each_written(missing, kind, workers):
                known[job] = about
                bar.update()
    for job in jobs:
        if known[job]["problem"]:
            problems.add(known[job]["skipped"], job[0], known[job]["problem"])
    return problems


def write_folder(path: Path, folder: Path, write: Callable[[Video, Path], dict[str, Any]]) -> dict[str, Any]:
    """Make the folder of one video; what ``video.json`` says of it.

    A video that cannot be read gets no folder, and one whose end cannot be decoded the images before it; either way
    ``skipped`` and ``problem`` say so.

    Args:
        path: The video.
        folder: Its folder.
        write: Writes the images into a folder, and says ``num_frames`` and whatever else is to be known of them.

    Raises:
        InputError: If the folder cannot be written.
    """
    try:
        video, state = Video(path), _state(path)
    except InputError as error:
        shutil.rmtree(folder, ignore_errors=True)  # of a video that was there before
        return {"skipped": "video", "problem": str(error).removeprefix(f"{path} ")}
    try:
        with new_folder(folder) as partial_folder:
            about = {**state, **write(video, partial_folder), "skipped": "end of video", "problem": ""}
            if about["num_frames"] < video.facts.num_frames:
                about["problem"] = f"has {video.facts.num_frames} frames but only {about['num_frames']} can be decoded"
            write_json(partial_folder / VIDEO_FILE, about)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}): make room or choose a folder that can be "
            "written, then repeat; what is whole is kept"
        ) from error
    return about


def reduced_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(H, W) with a short side of ``short_side``, or as it is where that is smaller."""
    scale = min(1.0, short_side / min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
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


def _current(job: Job, kind: Kind) -> dict[str, Any] | None:
    """What a whole folder says, unless its video has changed."""
    path, folder = job
    try:
        about = kind.open(folder).about
    except InputError:
        return None
    return about if all(about.get(key) == value for key, value in _state(path).items()) else None


def _jobs(root: Path, split: str, kind: Kind, problems: ProblemLog) -> list[Job]:
    """(video, its folder); of two videos of one name in a folder the first."""
    jobs: dict[Path, Path] = {}
    for path in video_paths(root, split):
        folder = kind.folder(root, split) / path.parent.name / path.stem
        if folder in jobs:
            problems.add("video", path, f"has the name of {jobs[folder].name}, and so its folder: rename one")
        else:
            jobs[folder] = path
    return [(path, folder) for folder, path in jobs.items()]


@contextmanager
def _claimed(folder: Path, kind: Kind) -> Iterator[None]:
    """Keep other runs out of a split's images, and refuse images that were made otherwise.

    Raises:
        InputError: If another run is writing there, or the folder's settings differ or are missing.
    """
    with folder_lock(folder, remedy="end it"):
        path = folder / f"{kind.name}.json"
        found, version = _read_settings(path, type(kind.settings)), kind.settings.version
        if found is None and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise InputError(f"{path} is missing or cannot be read: remove the folder and run this again")
        if found is None:
            write_json(path, asdict(kind.settings))
        elif found.version != version:
            raise InputError(f"{path} is of version {found.version}, not {version}: remove the folder")
        elif found != kind.settings:
            raise InputError(
                f"{path} is of {kind.name} written otherwise: remove the folder or repeat with {found.options()}"
            )
        yield


def _read_settings(path: Path, settings: type[Any]) -> Settings | None:
    try:
        found: Settings = settings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found


def _each_written(jobs: list[Job], kind: Kind, workers: int | None) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Every job with what came of it, in the order in which they end.

    Raises:
        InputError: As :func:`write_folder`.
    """
    for job, about in run_pooled(kind.work, jobs, workers or cores()):
        if isinstance(about, Crashed):
            _remove_partials(job[1])
            about = {"skipped": "video", "problem": "ends the process that reads it: replace or remove it"}
        yield job, about
