"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import FULL, UnwritableError

MADE_BY = "made_by.json"
"""In a folder of saved parses or features: what they follow from."""
# A list of numbers that json.dumps has spread over lines. Strings hold no raw line break, so none can match.
_SPREAD_NUMBERS = re.compile(r"\[\n\s*((?:(?:-?[\d.]+(?:[eE][-+]?\d+)?|null)(?:,\n\s*)?)+)\n\s*\]")


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; move it there when the block ends, remove it when the block fails.

    The folder is made if need be, and the temporary name keeps the suffix, for writers that go by it.

    Raises:
        FileNotFoundError: If the block wrote nothing.
        UnwritableError: If there is no room left; it names ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process number alone would let two threads meet in one file.
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        with full_disk_told(path):
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def full_disk_told(path: str | Path) -> Iterator[None]:
    """Name the file or folder where there is no room left, unless the error names one that is to be written.

    Raises:
        UnwritableError: If there is no room left. Other errors pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, UnwritableError):
            raise
        raise UnwritableError(error.errno, error.strerror, os.fspath(path)) from error


@contextmanager
def writing_told(path: str | Path) -> Iterator[None]:
    """Name the file where a write fails: such an error names none, unlike that of a file that cannot be opened.

    Raises:
        UnwritableError: If there is no room left.
    """
    try:
        with full_disk_told(path):
            yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise UnwritableError(error.errno, error.strerror or str(error), os.fspath(path)) from error


def write_json(path: str | Path, data: Any) -> None:
    """Write plain data as indented UTF-8 JSON in one move; a list of numbers stays on one line.

    Raises:
        ValueError: If a number is NaN or infinite, which JSON does not know.
        TypeError: If something is not plain data.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    text = _SPREAD_NUMBERS.sub(lambda found: "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]", text)
    with atomic_write(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def remove_partials(folder: str | Path) -> None:
    """Remove what runs that were killed outright have left half-written in ``folder`` itself."""
    for pattern in (".*.partial*", "*.pth.*.tmp", "last_checkpoint.*.tmp"):
        for path in Path(folder).glob(pattern):
            path.unlink(missing_ok=True)
