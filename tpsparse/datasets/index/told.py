"""What a run is told of one split: the items that it cannot use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..layout import SPLITS, videos_folder
from ..problems import Problem, ProblemLog
from .build import index_folder
from .checks import ERROR, KINDS
from .tables import names, numbers
from .whole import LABELS, NO_VIDEO, unknown_labels

if TYPE_CHECKING:
    from .view import TPSIndex

TOLD = 50
"""Problems that a run lists; the others are counted, and all are in ``problems.csv``."""


def split_problems(index: TPSIndex, lost: Iterable[str]) -> ProblemLog:
    """The problems of a split that cost an item; many of them are listed in part.

    Args:
        index: Of the split.
        lost: ``<action>/<file>`` of listed videos that are not there.
    """
    rows = _rows(index)
    found = [_problem(index, row) for row in index.tables["problems"].take(pa.array(rows[:TOLD])).to_pylist()]
    # Anew, since the names that this index goes by need not be those that the lists had at the build.
    for _, kind, _, file, _, _, message in unknown_labels(
        index.tables, index.root, index.taxonomy, within=index.labelled_rows
    ):
        if KINDS[kind].severity == ERROR:
            found.append(Problem(KINDS[kind].item, index.root / file, message))
    for place in lost:
        told = f"is in split {index.split} but not there: restore it"
        found.append(Problem("video", videos_folder(index.root, SPLITS[0]) / place, told))
    if len(rows) > TOLD:
        told = f"lists {len(rows) - TOLD} more: see there"
        found.append(Problem("others", index_folder(index.root) / "problems.csv", told))
    return ProblemLog(found)


def _rows(index: TPSIndex) -> np.ndarray:
    """Rows of the table of problems that cost an item of the split, but for names of labels."""
    table = index.tables["problems"]
    fatal = [
        place for place, kind in enumerate(names(table, "kind")) if KINDS[kind].severity == ERROR and kind not in LABELS
    ]
    if not fatal:
        return np.zeros(0, dtype=np.int64)
    rows = np.flatnonzero(np.isin(numbers(table, "kind"), fatal))
    video = numbers(table, "video")[rows]
    own = index.inside[video]
    homeless = np.flatnonzero(video == NO_VIDEO)
    files = table["file"].take(pa.array(rows[homeless])).to_pylist()
    own[homeless] = [file.startswith(f"{index.split}_videos/") for file in files]
    return rows[own]


def _problem(index: TPSIndex, row: dict[str, Any]) -> Problem:
    words = (row["key"], row["value"] if row["key"] else "", row["message"])
    return Problem(KINDS[row["kind"]].item, index.root / row["file"], " ".join(word for word in words if word))
