"""Writing the results of a look at data, with an error that names the file."""

from __future__ import annotations

import errno
from pathlib import Path

from ..errors import InputError
from ..structures.files import atomic_write

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk, a quota or a limit that is used up."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one move; one that was there stays where the new one cannot be written.

    Raises:
        InputError: If it cannot be written, as on a full disk.
    """
    try:
        with atomic_write(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        remedy = "make room there" if error.errno in FULL else "give another place with --out"
        raise InputError(f"{path} cannot be written ({error.strerror or error}): {remedy}") from error
