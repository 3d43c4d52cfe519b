"""The records that a test of a system has saved, beside the annotations: read again, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...datasets.index import TPSIndex, open_index
from ...errors import InputError
from ...structures import VideoParse
from ...structures.parse import read_metadata
from ...taxonomy import Taxonomy

SUFFIX = ".safetensors"
REPORT = "report.json"
SHOWN = 3
"""Videos that an error names; the rest it counts."""


@dataclass(frozen=True)
class Annotated:
    """The videos that are scored: those of a split whose action is annotated.

    Args:
        index: The split.
        truths: Video to the place of its annotation: a row of ``index.videos``, or the path of an unreadable video,
            which is scored as one of which nothing is predicted.
    """

    index: TPSIndex
    truths: dict[str, int | Path] = field(default_factory=dict)

    @classmethod
    def open(cls, root: str | Path, split: str, taxonomy: Taxonomy) -> Annotated:
        """As a test run gets them.

        Raises:
            InputError: If there is no such data set or split, or no video of it is annotated.
        """
        index = open_index(root, split, taxonomy)
        truths: dict[str, int | Path] = {
            entry.name: row for row, entry in enumerate(index.videos) if entry.frames and entry.action >= 0
        }
        truths.update((path.stem, path) for path in index.broken if index.truth_of_broken(path) is not None)
        if not truths:
            raise InputError(f"{root} has no annotated video in split {split}: give another split or data set")
        return cls(index, dict(sorted(truths.items())))

    def truth(self, video: str) -> VideoParse:
        """The annotation of a video as a record."""
        place = self.truths[video]
        truth = self.index.truth_of_broken(place) if isinstance(place, Path) else self.index.ground_truth(place)
        assert truth is not None  # open has kept only those that have one
        return truth


class Records:
    """Saved records of one system over annotated videos.

    A video that could not be parsed has no record: it is unreadable, or the test's report says that it was skipped.
    Such a video counts as one of which nothing is predicted, as in the test's own score.

    Args:
        folder: One file a video, as ``model.save_dir`` of a system config says.
        annotated: The videos that are scored.
        remedy: What to do where records are missing, such as a command.
        skipped: Videos that the test could not parse.

    Raises:
        InputError: If a record is missing or is none, naming the first of them.
    """

    def __init__(
        self, folder: str | Path, annotated: Annotated, *, remedy: str, skipped: dict[str, str] | None = None
    ) -> None:
        self.folder, self.annotated = Path(folder), annotated
        self._skipped = dict(skipped or {})
        self._check(remedy)

    def __iter__(self) -> Iterator[tuple[VideoParse, VideoParse]]:
        """Record and annotation of one video after another."""
        for video in self.annotated.truths:
            yield self.read(video), self.annotated.truth(video)

    def __len__(self) -> int:
        return len(self.annotated.truths)

    def read(self, video: str) -> VideoParse:
        """The record of a video, an empty one where it could not be parsed.

        Raises:
            InputError: If the file is damaged.
        """
        if self._is_lost(video):
            return VideoParse(video, error=self._skipped.get(video, "the video cannot be read"))
        return VideoParse.load(self.path(video))

    def path(self, video: str) -> Path:
        """Where a video's record is."""
        return self.folder / f"{video}{SUFFIX}"

    @property
    def failed(self) -> list[str]:
        """Videos without a record that are scored as empty."""
        return [video for video in self.annotated.truths if self._is_lost(video)]

    def _is_lost(self, video: str) -> bool:
        unreadable = isinstance(self.annotated.truths[video], Path)
        return unreadable or (video in self._skipped and not self.path(video).is_file())

    def _check(self, remedy: str) -> None:
        bad = [video for video in self.annotated.truths if not self._is_lost(video) and not self._is_whole(video)]
        if bad:
            rest = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
            told = f"{self.folder} lacks the whole records of {len(bad)} of {len(self)} videos"
            raise InputError(f"{told} ({', '.join(bad[:SHOWN])}{rest}): {remedy}")

    def _is_whole(self, video: str) -> bool:
        try:
            return bool(read_metadata(self.path(video)))
        except InputError:
            return False


def records_of(cfg: Any, annotated: Annotated, *, command: str, then: str = "give that here too") -> Records:
    """The records of a system from its loaded config.

    Args:
        cfg: A system config, as :func:`tpsparse.engine.load_config` gives it.
        annotated: The videos that are scored.
        command: What tests the system, for messages.
        then: What to do once a system that keeps no records was tested with ``model.save_dir=DIR``.

    Raises:
        InputError: If the config keeps no records, or they are not whole.
    """
    from ...engine import of_evaluators  # brings mmengine, which only whoever has a config needs

    folder = cfg.get("model", {}).get("save_dir")
    if not folder:
        told = f"config {cfg.filename} keeps no records"
        raise InputError(f"{told}: run {command} with model.save_dir=DIR among its --cfg-options, and {then}")
    out_dir = of_evaluators(cfg, "out_dir")
    skipped = _skipped(Path(out_dir) / REPORT) if out_dir else {}
    return Records(folder, annotated, remedy=f"run {command}", skipped=skipped)


def _skipped(report: Path) -> dict[str, str]:
    """Videos that a test's report says could not be parsed; none where there is no report."""
    if not report.is_file():
        return {}
    try:
        return dict(json.loads(report.read_text(encoding="utf-8"))["skipped"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{report} is not the report of a test ({type(error).__name__}): test the system again"
        ) from error
