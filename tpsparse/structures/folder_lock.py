"""One run at a time in an output folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError

LOCK_FILE = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Errors of a file system that has no locks."""
_held: dict[str, int] = {}
"""Folders that this process has locked, and the open lock files. The lock lives as long as the file is open."""


@contextmanager
def folder_lock(folder: str | Path, *, remedy: str = "give another --work-dir") -> Iterator[None]:
    """Keep every other process that asks for it out of a folder while the block runs.

    The lock is one of the operating system (``flock``) on the file ``.lock`` in the folder, so a process that is killed
    leaves none behind. A process that has a folder locked may lock it again; what it forks, such as a loader's workers,
    neither holds the lock nor keeps it alive. When the block ends the file is removed, and so is a folder that was made
    for it and holds nothing else.

    ``filelock``, by which processes wait for an index, leaves its file and lets forked processes keep the lock: a
    training that is killed could not go on before its workers have noticed.

    Args:
        folder: Made if need be.
        remedy: What else to do than to wait, for the message.

    Raises:
        InputError: If another process has it.
    """
    place = os.path.realpath(folder)
    if place in _held:
        yield
        return
    made = _make(Path(place))
    try:
        with _locked(place, Path(folder), remedy):
            yield
    finally:
        for path in made:
            with suppress(OSError):  # it holds what was written
                path.rmdir()


@contextmanager
def _locked(place: str, folder: Path, remedy: str) -> Iterator[None]:
    file = _open_locked(Path(place, LOCK_FILE))
    if file is None:
        told = f"{folder} is used by another run{_owner(Path(place, LOCK_FILE))}"
        raise InputError(f"{told}: wait until that has ended, or {remedy}")
    _held[place] = file
    try:
        yield
    finally:
        # While it is locked: the file of that name may be another run's a moment later.
        Path(place, LOCK_FILE).unlink(missing_ok=True)
        os.close(_held.pop(place))


def _make(folder: Path) -> list[Path]:
    """Make a folder; those that were not there, the innermost first."""
    absent = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return absent


def _open_locked(path: Path) -> int | None:
    """A lock file opened and locked; None where another process has it locked."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(file)
                raise
            warnings.warn(f"{path.parent} is where files cannot be locked: see that no other run uses it", stacklevel=2)
        # The run that had it may have removed the file since it was opened here: then it locks nothing.
        if os.fstat(file).st_nlink:
            _sign(file)
            return file
        os.close(file)


def _sign(file: int) -> None:
    """Say whose lock it is, for the message to others; on a full disk they do without."""
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _owner(path: Path) -> str:
    try:
        told = path.read_text(errors="replace").strip()
    except OSError:
        return ""
    return f" ({told})" if told else ""


def _forget() -> None:
    """In a process that was forked: leave the lock to the one that has it."""
    for file in _held.values():
        os.close(file)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
