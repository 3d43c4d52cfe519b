"""What a worker does: it holds a system's networks and makes one record after the other."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import platform
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError

from ..errors import InputError, UnwritableError
from ..structures import VideoParse
from ..structures.files import write_json
from ..structures.folder_lock import LOCK_FILE
from ..version import __version__
from .folder import Folder, Identity, Item, metadata_of, read_record

PACKAGES = ("torch", "numpy", "av")
TRIM_SECONDS = 5.0
"""After which free memory is given back: in pieces between what is held, it would otherwise add up. It takes 0.03 s."""
UNWRITABLE_REMEDY = "see to it, or give another --out"
SPOILING = ("cuda error", "cudnn", "out of memory", "can't allocate memory")
"""What is told by errors after which a process is better replaced."""


class System(Protocol):
    """What parses a video; workers are given a function that makes it."""

    fingerprint: str

    def parse(self, path: Path, *, keep_features: bool) -> VideoParse:
        """The record of a video, with features only where they are to be kept.

        Raises:
            InputError: If the video cannot be read.
        """

    def export(self, parse: VideoParse) -> dict[str, Any]:
        """What the record says, as plain data."""


class TrainedSystem:
    """A system config with trained networks.

    Args:
        config: A system config.
        work_dir: Folder of the trained networks.
        options: Overrides of the config.
        frame_step: Every how many frames are parsed.
        runtime: Name of a runtime in place of the config's.
    """

    def __init__(
        self,
        config: str,
        *,
        work_dir: str | None = None,
        options: dict[str, Any] | None = None,
        frame_step: int = 1,
        runtime: str | None = None,
    ) -> None:
        from .. import apis  # brings torch, which the driver does without

        self.parser, self.taxonomy = apis.build_parser(
            config, work_dir=work_dir, options=options, frame_step=frame_step, runtime=runtime
        )
        self.fingerprint = self.parser.fingerprint
        # The half million objects of the libraries stay for good. Left out, the collector is done with the rest in no
        # time, which it otherwise puts off over thousands of videos.
        gc.collect()
        gc.freeze()

    def parse(self, path: Path, *, keep_features: bool) -> VideoParse:
        """See :class:`System`."""
        from ..datasets.video import Video

        video = Video(path)
        video.fps = video.fps if 0 < video.fps < math.inf else 0.0  # 0 stands for unknown
        parse = self.parser.parse_video(video, keep_features=keep_features)
        if not keep_features:  # some are there still, which other stages have read
            parse.features.clear()
            for frame in parse.frames:
                frame.features.clear()
                frame.person_features.clear()
        return parse

    def export(self, parse: VideoParse) -> dict[str, Any]:
        """See :class:`System`."""
        from ..structures.export import parse_to_json

        return parse_to_json(parse, self.taxonomy)


@dataclass(frozen=True)
class Ready:
    """A worker that has loaded its networks: of which system, where, and with what."""

    fingerprint: str
    host: str
    pid: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Refused:
    """A worker that cannot begin, or not go on, and why; what stops one stops all."""

    error: str


@dataclass(frozen=True)
class Outcome:
    """What has come of a video.

    Args:
        frames: Parsed frames; 0 where there is no record.
        size: Bytes of the record.
        seconds: Time that the worker took.
        error: Why there is no record.
        trace: Where the error was met, if it is none that broken videos are known to cause.
    """

    frames: int = 0
    size: int = 0
    seconds: float = 0.0
    error: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class Choices:
    """What is kept of a video.

    Args:
        features: Keep the features in the record, from which other networks learn.
        export: Write ``<key>.json`` as well.
    """

    features: bool = True
    export: bool = False


class Worker:
    """One process of a collection.

    Args:
        make: Gives the :class:`System`; it is called in the worker.
        out: The output folder, which must be the same for all.
        choices: What is kept.
        threads: Threads of an operator, and of a decoder.
        cwd: Where relative paths in a config start.
    """

    def __init__(self, make: Callable[[], System], out: str, choices: Choices, *, threads: int, cwd: str) -> None:
        self.make, self.folder, self.choices = make, Folder(out), choices
        self.threads, self.cwd = threads, cwd
        self._trimmed = time.perf_counter()

    def start(self) -> Ready | Refused:
        """Load the networks. Not done when the object is made, since errors can be told of a call alone."""
        host = socket.gethostname()
        if not (self.folder.root / LOCK_FILE).exists():
            return Refused(f"{self.folder.root} is not there on {host}: give an --out that all machines share")
        try:
            os.chdir(self.cwd)
        except OSError:
            return Refused(f"{self.cwd} is not there on {host}: start in a folder that all machines share")
        set_threads(self.threads)
        try:
            self.system = self.make()
        except UnwritableError as error:
            return Refused(error.told(UNWRITABLE_REMEDY))
        except InputError as error:
            return Refused(str(error))
        return Ready(self.system.fingerprint, host, os.getpid(), versions())

    def parse(self, item: Item, identity: Identity) -> Outcome | Refused:
        """Make the record of a video.

        Raises:
            Exception: After which the process should be replaced, as when memory has run out.
        """
        begun = time.perf_counter()
        if begun - self._trimmed > TRIM_SECONDS:
            give_back_memory()
            self._trimmed = begun
        try:
            parse = self._made(item, identity)
            size = self._save(item, identity, parse)
        except UnwritableError as error:  # of the output, or of what the system keeps: no fault of a video
            return Refused(error.told(UNWRITABLE_REMEDY))
        except Exception as error:  # networks and libraries share no base class of errors
            if spoils(error):
                raise
            seconds = time.perf_counter() - begun
            if isinstance(error, InputError):
                return Outcome(error=str(error), seconds=seconds)
            return Outcome(error=_told(item, error), trace=traceback.format_exc(), seconds=seconds)
        return Outcome(len(parse.frames), size, time.perf_counter() - begun)

    def _made(self, item: Item, identity: Identity) -> VideoParse:
        path = self.folder.result(item.key)
        if read_record(path, metadata_of(item, identity, self.system.fingerprint)) is not None:
            return VideoParse.load(path)  # only what is beside it is asked for
        return self.system.parse(Path(item.path), keep_features=self.choices.features)

    def _save(self, item: Item, identity: Identity, parse: VideoParse) -> int:
        """Write the record, last of all: a video that has one is finished."""
        path, export = self.folder.result(item.key), self.folder.export(item.key)
        with _told_unwritable(export):
            if self.choices.export:
                write_json(export, self.system.export(parse))
        with _told_unwritable(path):
            parse.save(path, metadata_of(item, identity, self.system.fingerprint))
            return path.stat().st_size


@contextmanager
def _told_unwritable(path: Path) -> Iterator[None]:
    """Tell a folder that cannot be written to, as a full one, from all that may be wrong with a video."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(error.errno or 0, error.strerror or str(error), os.fspath(path)) from error
    except SafetensorError as error:  # it has the system's error in its text alone
        reason, _, number = str(error).rpartition("I/O error: ")[2].partition(" (os error ")
        raise UnwritableError(int(number.rstrip(")") or 0), reason, os.fspath(path)) from error


def set_threads(threads: int) -> None:
    """Use so many threads in an operator and a decoder; workers share the cores already."""
    import cv2

    os.environ["OMP_NUM_THREADS"] = str(threads)  # for what is not loaded yet
    cv2.setNumThreads(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)


def give_back_memory() -> None:
    """Hand memory that is free back to the system, which glibc otherwise keeps; nothing with another C library."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def versions() -> dict[str, str]:
    """Of what results follow from besides the system."""
    loaded = {name: getattr(sys.modules[name], "__version__", "?") for name in PACKAGES if name in sys.modules}
    return {"tpsparse": __version__, "python": platform.python_version(), **{k: str(v) for k, v in loaded.items()}}


def spoils(error: Exception) -> bool:
    """Whether the process is better replaced after an error."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in told for sign in SPOILING)


def _told(item: Item, error: Exception) -> str:
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return f"{item.path} could not be parsed ({reason}): encode it again or leave it out"
