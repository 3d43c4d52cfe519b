"""The videos of a collection: a list of any length is read line by line, never held."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from ..datasets.layout import VIDEO_SUFFIXES
from ..errors import InputError

STDIN = "-"
BOM, WIDE_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
"""Marks at the start of a text in UTF-8, and in UTF-16."""


class Collection:
    """The videos that a list names, a path a line, or that lie in a folder.

    In a list, blank lines and those that begin with ``#`` say nothing; every other line is a path to its end, blanks
    and quotes included. A relative path starts at the list's folder, or in the current folder if the list comes from
    the standard input or another pipe. In a folder, all files with the suffix of a video are taken, those of its
    subfolders too, in order of their names; a subfolder that cannot be read is told when it is met.

    Args:
        source: A text file, a folder, or ``-`` for the standard input.

    Raises:
        InputError: If there is no such file or folder, or the list is a video or in UTF-16.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = str(source)
        if self.source == STDIN:
            self._spool(sys.stdin.buffer)
        elif not os.path.exists(self.source):
            raise InputError(f"{self.source} is missing: give a list of videos, a path a line, or a folder of them")
        elif os.path.isfile(self.source) or os.path.isdir(self.source):
            self._list, self.base = self.source, os.path.abspath(os.path.dirname(self.source))
        else:
            with open(self.source, "rb") as pipe:
                self._spool(pipe)
        if not os.path.isdir(self.source):
            self._check_text()

    def _check_text(self) -> None:
        if self.source.lower().endswith(VIDEO_SUFFIXES):
            raise InputError(f"{self.source} is a video: give a list of videos, a path a line, or a folder of them")
        with open(self._list, "rb") as file:
            if file.read(2) in WIDE_BOMS:
                raise InputError(f"{self.source} is text in UTF-16: save it as UTF-8")

    def _spool(self, pipe: BinaryIO) -> None:
        """Keep what can be read but once."""
        self._file = tempfile.NamedTemporaryFile(prefix="tpsparse-list-")  # noqa: SIM115 - it ends with this object
        shutil.copyfileobj(pipe, self._file)
        self._file.flush()
        self._list, self.base = self._file.name, os.getcwd()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Number of the line, or of the file in a folder, from 1, and the absolute path, which need not exist."""
        return self._files() if os.path.isdir(self.source) else self._lines()

    def __len__(self) -> int:
        """How many videos there are, each as often as it is named; counted by reading the list once."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return sum(1 for _ in self)

    def _lines(self) -> Iterator[tuple[int, str]]:
        with open(self._list, "rb") as file:
            for number, line in enumerate(file, start=1):
                line = (line.removeprefix(BOM) if number == 1 else line).rstrip(b"\r\n")
                if line.strip() and not line.startswith(b"#"):
                    yield number, os.path.normpath(os.path.join(self.base, os.fsdecode(line)))

    def _files(self) -> Iterator[tuple[int, str]]:
        number = 0
        for folder, below, names in os.walk(os.path.abspath(self.source), onerror=_refuse):
            below.sort()
            for name in sorted(names):
                if name.lower().endswith(VIDEO_SUFFIXES):
                    number += 1
                    yield number, os.path.join(folder, name)


def _refuse(error: OSError) -> None:
    """Do not leave out in silence what is below a folder, unless it is gone.

    Raises:
        InputError: If it is there but cannot be read.
    """
    if not isinstance(error, FileNotFoundError):
        told = f"{error.filename} cannot be read ({error.strerror})"
        raise InputError(f"{told}: make it readable, or give a list of videos") from error
