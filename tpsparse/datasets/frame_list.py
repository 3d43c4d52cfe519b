"""``list/video_<split>_flist.csv``: how many frames each video has.

Its column names were never published, so a row is understood by what its cells look like: a path or a name, and a
count. A header or a row without a count is passed over.
"""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

from ..errors import InputError


def read_frame_list(path: Path) -> dict[str, int]:
    """Video name to frame count; empty where there is no list.

    Raises:
        InputError: If the file has rows but none with a video and a count.
    """
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = [row for row in csv.reader(file) if row]
    counts = {}
    for row in rows:
        numbers = [int(cell) for cell in row if cell.strip().isdigit()]
        names = [cell.strip() for cell in row if cell.strip() and not cell.strip().isdigit()]
        if numbers and names:
            counts[_stem(names[0])] = numbers[-1]
    if rows and not counts:
        raise InputError(f"{path} has no row with a video and its frame count: write <action>/<video>.mp4,<count>")
    return counts


def _stem(name: str) -> str:
    leaf = PurePosixPath(name.replace("\\", "/"))
    return leaf.stem if leaf.suffix else leaf.name
