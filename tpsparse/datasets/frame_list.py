"""``list/video_<split>_flist.csv``: how many frames each video has.

Its column names were never published, so a row is understood by what its cells look like: a path or a name, and a
count. A header or a row without a count is passed over.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import InputError
from .layout import VIDEO_SUFFIXES

COUNT = re.compile(r"\d{1,9}", re.ASCII)


class ListedVideo(NamedTuple):
    """A row of the list; the action is empty where the row has no folder."""

    action: str
    name: str
    num_frames: int


class FrameList:
    """Frame counts by action and name, or by name alone where the list has no folders or another one."""

    def __init__(self, rows: list[ListedVideo]) -> None:
        self.rows = rows
        self._by_name = {row.name: row for row in rows}
        self._by_place = {(row.action, row.name): row for row in rows}

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, action: str, name: str) -> ListedVideo | None:
        """The row of a video; None where it has none."""
        return self._by_place.get((action, name)) or self._by_name.get(name)

    def repeated(self) -> list[str]:
        """Names that more than one row has."""
        return [name for name, count in Counter(row.name for row in self.rows).items() if count > 1]


def read_frame_list(path: Path) -> FrameList:
    """The list; without rows where there is no file.

    Raises:
        InputError: If the file is not CSV, or has rows but none with a video and a count.
    """
    if not path.is_file():
        return FrameList([])
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = [row for row in csv.reader(file) if row]
    except csv.Error as error:
        raise InputError(f"{path} is not CSV ({error}): write <action>/<video>.mp4,<count>") from error
    counted = [[cell.strip() for cell in row] for row in rows if any(COUNT.fullmatch(cell.strip()) for cell in row)]
    column = _name_column(counted)
    listed = [found for row in counted if (found := _read_row(row, column)) is not None]
    if rows and not listed:
        raise InputError(f"{path} has no row with a video and its frame count: write <action>/<video>.mp4,<count>")
    return FrameList(listed)


def _name_column(rows: list[list[str]]) -> int:
    """The column of text with the most different entries: names differ and actions repeat. The first of equals."""
    entries: dict[int, set[str]] = {}
    for row in rows:
        for column, cell in enumerate(row):
            if cell and not COUNT.fullmatch(cell):
                entries.setdefault(column, set()).add(cell)
    return max(sorted(entries), key=lambda column: len(entries[column]), default=0)


def _read_row(row: list[str], column: int) -> ListedVideo | None:
    texts = [cell for place, cell in enumerate(row) if place != column and cell and not COUNT.fullmatch(cell)]
    if len(row) <= column or not row[column] or COUNT.fullmatch(row[column]):
        return None
    path = PurePosixPath(row[column].replace("\\", "/"))
    name = path.stem if path.suffix.lower() in VIDEO_SUFFIXES else path.name
    # A release may have the action in a column of its own; of several columns of text the first is taken for it.
    action = path.parent.name or next(iter(texts), "")
    return ListedVideo(action, name, int(next(cell for cell in reversed(row) if COUNT.fullmatch(cell))))
