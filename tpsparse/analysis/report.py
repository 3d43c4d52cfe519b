"""One self-contained page about a data set: its charts, splits, sample frames, and what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from ..datasets.index import open_index
from ..datasets.index.build import index_folder
from ..datasets.layout import SPLITS, videos_folder
from ..datasets.problems import ProblemLog
from ..datasets.splits import FOLDS, read_split, split_file
from ..errors import InputError
from ..taxonomy import Taxonomy
from .findings import read_findings
from .page import PAGE
from .sample_frames import sample_frames
from .sections import chart_sections
from .statistics import VideoCounts, dataset_statistics
from .writing import write_whole


@dataclass(frozen=True)
class SplitRow:
    """What a split has, for the table of splits."""

    name: str
    videos: int
    minutes: float
    frames: int
    persons: int
    parts: int
    objects: int


def write_report(root: Path, out: Path, *, split: str = "train", seed: int = 0) -> ProblemLog:
    """Write the page.

    Args:
        root: A data set in the official layout; its index is made first where need be.
        out: The page, an HTML file without other files.
        split: Whose annotations are charted: ``train``, ``test`` or a named split such as ``dap/val``.
        seed: Decides which sample frames are drawn.

    Returns:
        What could not be shown on the page, what of the split cannot be used, and videos that named splits list but
        that are not there.

    Raises:
        InputError: If the folder holds no data set, the split is not known or has no usable video, or the page cannot
            be written.
    """
    taxonomy = Taxonomy.from_root(root)
    index = open_index(root, split, taxonomy)
    statistics = dataset_statistics(index)
    problems = ProblemLog(index.problems)
    text = render(
        name=root.resolve().name,
        split=split,
        taxonomy=taxonomy,
        totals=split_row(split, statistics.videos),
        splits=_splits(root, taxonomy, {split: statistics.videos}, problems),
        sections=chart_sections(statistics),
        samples=sample_frames(index, seed, problems),
        findings=read_findings(index_folder(root) / "problems.csv"),
    )
    write_whole(out, text.encode("utf-8"))
    return problems


def render(**content: object) -> str:
    """The page of this content, see :data:`tpsparse.analysis.page.PAGE`."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(PAGE).render(content)


def split_row(name: str, counts: VideoCounts, chosen: np.ndarray | None = None) -> SplitRow:
    """Totals over all videos, or over the chosen (V,) bool."""
    mask = np.ones(len(counts.keys), dtype=bool) if chosen is None else chosen
    return SplitRow(
        name=name,
        videos=int(mask.sum()),
        minutes=float(counts.seconds[mask].sum() / 60),
        frames=int(counts.frames[mask].sum()),
        persons=int(counts.persons[mask].sum()),
        parts=int(counts.parts[mask].sum()),
        objects=int(counts.objects[mask].sum()),
    )


def subsets_of(path: Path) -> list[str]:
    """The splits that a file of ``ROOT/splits`` names; of folds only what each validates on.

    Raises:
        InputError: If the file cannot be read.
    """
    try:
        subsets = list(json.loads(path.read_text(encoding="utf-8"))["subsets"])
    except (ValueError, KeyError, TypeError) as error:
        told = "restore it or remove it and run tools/prepare_data.py splits"
        raise InputError(f"{path} cannot be read ({type(error).__name__}): {told}") from error
    ending = "/val" if FOLDS.fullmatch(path.stem) else ""
    return [f"{path.stem}/{subset}{ending}" for subset in subsets]


def _splits(root: Path, taxonomy: Taxonomy, counted: dict[str, VideoCounts], problems: ProblemLog) -> list[SplitRow]:
    """A row for each official and each named split; one that cannot be read is noted and left out."""
    rows = []
    for split in SPLITS:
        folder = videos_folder(root, split)
        if split not in counted and folder.is_dir():
            try:
                counted[split] = dataset_statistics(open_index(root, split, taxonomy)).videos
            except InputError as error:
                problems.add("split", folder, str(error).removeprefix(f"{folder} "))
        if split in counted:
            rows.append(split_row(split, counted[split]))
    train = counted.get(SPLITS[0])
    return rows if train is None else rows + _named_splits(root, train, problems)


def _named_splits(root: Path, train: VideoCounts, problems: ProblemLog) -> list[SplitRow]:
    rows = []
    for path in sorted((root / "splits").glob("*.json")):
        try:
            for name in subsets_of(path):
                listed = set(read_split(root, name) or ())
                chosen = np.array([key in listed for key in train.keys], dtype=bool)
                rows.append(split_row(name, train, chosen))
                _tell_lost(root, name, listed.difference(train.keys), problems)
        except InputError as error:
            problems.add("named split", path, str(error).removeprefix(f"{path} "))
    return rows


def _tell_lost(root: Path, name: str, unused: set[str], problems: ProblemLog) -> None:
    """Note the videos of a named split that are not there; one that is there but broken is a problem of the index."""
    lost = sorted(place for place in unused if not (videos_folder(root, SPLITS[0]) / place).is_file())
    if not lost:
        return
    some = lost[0] if len(lost) == 1 else f"{lost[0]} and {len(lost) - 1} more"
    told = f"lists for {name} {some}, not there: restore what is missing, or write the split again"
    problems.add("video", split_file(root, name.partition("/")[0]), told)
