"""What a build found, for the eye: ``problems.csv``, and the text that ends ``tools/prepare_data.py index``."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cached_property
from pathlib import Path

import numpy as np

from ...structures.files import atomic_write
from .checks import ERROR, KINDS, WARNING
from .tables import Tables, names, numbers

COLUMNS = ("severity", "kind", "split", "action", "video", "frame", "file", "key", "value", "message")


class IndexSummary:
    """Counts of an index and of its problems.

    Args:
        root: The data set.
        folder: Of the index.
        tables: Its tables.
        read: Videos that were read; the others had not changed.
    """

    def __init__(self, root: Path, folder: Path, tables: Tables, *, read: int) -> None:
        self.root, self.folder, self.tables, self.read = root, folder, tables, read

    @cached_property
    def problems(self) -> Counter[str]:
        """Problems by kind."""
        table = self.tables["problems"]
        if not len(table):
            return Counter()
        counts = np.bincount(numbers(table, "kind"), minlength=len(names(table, "kind")))
        return Counter({name: int(count) for name, count in zip(names(table, "kind"), counts) if count})

    @property
    def num_errors(self) -> int:
        """Items that cannot be used."""
        return sum(count for kind, count in self.problems.items() if KINDS[kind].severity == ERROR)

    @property
    def num_warnings(self) -> int:
        """Items that look odd."""
        return sum(self.problems.values()) - self.num_errors

    def keys(self) -> list[tuple[str, int]]:
        """How often each key occurs in the JSON, by its place there."""
        table = self.tables["keys"]
        if not len(table):
            return []
        counts = np.bincount(numbers(table, "key"), weights=numbers(table, "count"))
        return sorted((name, int(count)) for name, count in zip(names(table, "key"), counts))

    def text(self, *, schema: bool = False) -> str:
        """The counts on a few lines.

        Args:
            schema: Also say which keys occur how often.
        """
        lengths = {name: len(self.tables[name]) for name in ("videos", "frames", "persons", "parts", "objects")}
        lines = [
            f"{self.folder}: " + ", ".join(f"{length:,} {name}" for name, length in lengths.items()),
            f"{self.read:,} videos were read, {lengths['videos'] - self.read:,} had not changed",
        ]
        if schema:
            lines += ["keys in the annotations:", *_aligned(self.keys())]
            extra = sum(len(self.tables[name]) - self.tables[name]["extra"].null_count for name in _WITH_EXTRA)
            lines.append(f"{extra:,} rows hold keys that are not known, kept in their column `extra`")
        for severity in (ERROR, WARNING):
            found = [(kind, count) for kind, count in self.problems.most_common() if KINDS[kind].severity == severity]
            if found:
                told = "errors, what they name is not used" if severity == ERROR else "warnings"
                lines += [f"{told}:", *_aligned(found, [KINDS[kind].remedy for kind, _ in found])]
        lines.append(f"problems are in {self.folder / 'problems.csv'}" if self.problems else "no problems found")
        return "\n".join(lines)


def write_problems(path: Path, tables: Tables) -> None:
    """Write all problems of an index as CSV, one a line."""
    videos = tables["videos"].select(["split", "action", "file"]).to_pylist()
    nothing = {"split": "", "action": "", "file": ""}
    with atomic_write(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for batch in tables["problems"].to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                video = videos[row["video"]] if row["video"] >= 0 else nothing
                place = (video["split"], video["action"], video["file"], row["frame"] or "", row["file"])
                severity = KINDS[row["kind"]].severity
                writer.writerow((severity, row["kind"], *place, row["key"], row["value"], row["message"]))


_WITH_EXTRA = ("frames", "persons", "parts", "objects")


def _aligned(rows: list[tuple[str, int]], notes: list[str] | None = None) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    digits = max((len(f"{count:,}") for _, count in rows), default=0)
    notes = [""] * len(rows) if notes is None else notes
    return [f"  {name:<{width}}  {count:>{digits},}  {note}".rstrip() for (name, count), note in zip(rows, notes)]
