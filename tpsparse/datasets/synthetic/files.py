"""Writing a synthetic data set: a claimed folder, whole files, and videos that are the same on every machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import av
import numpy as np
from tqdm import tqdm

from ...errors import InputError
from ...workers import Crashed, cores, run_pooled

FPS = 15
_SMALLEST_SIDE = 48
_ENCODER = {
    "crf": "18",
    "preset": "veryfast",
    "threads": "1",
    "bf": "0",
    "g": str(FPS),
    # x264's macroblock tree rounds otherwise with each instruction set, and with AVX-512 not even always alike: of 200
    # encodings of the same pictures 3 differed, in some frames before a key frame. This is as fast, and all are equal.
    "x264-params": "cpu-independent=1",
}


class Clip(Protocol):
    """One video to write, with what belongs to it."""

    @property
    def video(self) -> Path:
        """Its file."""

    def is_written(self) -> bool:
        """Whether every file of it is there."""


AnyClip = TypeVar("AnyClip", bound=Clip)


def write_missing(
    write: Callable[[AnyClip], None], clips: Sequence[AnyClip], *, workers: int | None, progress: bool, unit: str
) -> None:
    """Write the clips that are not there yet, in several processes.

    Raises:
        InputError: If a process that writes one ends.
    """
    missing = [clip for clip in clips if not clip.is_written()]
    done = len(clips) - len(missing)
    with tqdm(total=len(clips), initial=done, desc="synthetic", unit=unit, disable=not progress) as bar:
        for clip, outcome in run_pooled(write, missing, workers or cores()):
            if isinstance(outcome, Crashed):
                told = "its process ended; see that memory is free and repeat"
                raise InputError(f"{clip.video} cannot be written: {told}")
            bar.update()


@contextmanager
def video_writer(path: Path, size: tuple[int, int]) -> Iterator[Callable[[np.ndarray], None]]:
    """Give a function that adds a frame (H, W, 3) uint8 RGB; the mp4 is there when the block ends, and not before."""
    make_room(path.parent, f".{path.name}.*.partial")
    partial = _partial(path)
    try:
        with av.open(str(partial), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("libx264", rate=FPS, options=_ENCODER)
            stream.height, stream.width = size
            stream.pix_fmt = "yuv420p"
            stream.thread_count = 1
            yield lambda image: container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_drawing(counts: dict[str, int], *, of: str, size: tuple[int, int], seed: int, workers: int | None) -> None:
    """Refuse what cannot be drawn.

    Args:
        counts: Of each split the number of videos of each class.
        of: What a class is called.
        size: (height, width) in pixels.
        seed: Of everything random.
        workers: Processes.

    Raises:
        InputError: If one of them cannot be used.
    """
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"{name} is {count}: give the number of videos of each {of}, 0 or more")
    if any(side % 2 for side in size):
        raise InputError(f"size is {size[0]}x{size[1]}: H.264 needs an even height and an even width")
    if min(size) < _SMALLEST_SIDE:
        raise InputError(f"size is {size[0]}x{size[1]}: give at least {_SMALLEST_SIDE} pixels a side")
    if seed < 0:
        raise InputError(f"seed is {seed}: give 0 or more")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}: give at least 1")


def claim(out: Path, parameters: dict[str, Any]) -> None:
    """Keep the parameters in the folder, or refuse a folder that holds something else.

    Args:
        out: Made if need be.
        parameters: All that the files depend on, with the ``format`` of the drawing.

    Raises:
        InputError: If the folder holds other data, or a set with other parameters.
    """
    path = out / "synthetic.json"
    if not path.is_file():
        if out.exists() and (not out.is_dir() or any(not entry.name.endswith(".partial") for entry in out.iterdir())):
            raise InputError(f"{out} holds something else than a synthetic data set: choose an empty or a new folder")
        out.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(parameters, indent=1) + "\n")
        return
    try:
        existing = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({error}): choose another folder or delete this one") from error
    if existing != parameters:
        raise InputError(f"{path} {_difference(existing, parameters)}")


def _difference(existing: Any, parameters: dict[str, Any]) -> str:
    """How the parameters of a folder differ from those that are wanted, and what to do."""
    known = existing if isinstance(existing, dict) else {}
    if known.get("format", parameters["format"]) != parameters["format"]:
        return (
            f"is of a data set in format {known['format']}, and this version writes format {parameters['format']}: "
            "choose another folder, or delete this one to write it anew"
        )
    differing = [f"{name} {known.get(name)}" for name in parameters if known.get(name) != parameters[name]]
    return f"has {', '.join(differing) or 'other parameters'}: repeat that or choose another folder"


def make_room(folder: Path, stale: str) -> None:
    """Make a folder, and clear it of what a killed process left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(stale):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one move."""
    partial = _partial(path)
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")
