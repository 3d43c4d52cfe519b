"""A data set in the official layout, written beside what is in it already; ``datasets/layout.py`` has its folders."""

from __future__ import annotations

import csv
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..datasets.frame_list import read_frame_list
from ..datasets.layout import SPLITS, annotations_folder, frame_list, frame_name, frames_folder, videos_folder
from ..structures.files import atomic_write, remove_partials
from .labels import Person, frame_annotation
from .parts import PARTS

OWN_FOLDER = "annotate"
REVIEW_FOLDER = "review"
# Of what is kept of each clip: folder and suffix.
STAMPS, LANDMARKS = ("done", ".json"), ("poses", ".npz")


def own_file(root: Path, kind: tuple[str, str], name: str) -> Path:
    """Where the stamp or the landmarks of a clip are kept."""
    return root / OWN_FOLDER / kind[0] / f"{name}{kind[1]}"


def clear_leftovers(root: Path) -> None:
    """Remove what a run that was stopped has left half-written."""
    own = (root / OWN_FOLDER, *(root / OWN_FOLDER).glob("*/"), root / REVIEW_FOLDER, root / "list")
    for folder in (*own, *(folder for split in SPLITS for folder in videos_folder(root, split).glob("*/"))):
        remove_partials(folder)
    for split in SPLITS:
        for partial in annotations_folder(root, split).glob("*/.*.partial"):
            shutil.rmtree(partial)


def prepare_lists(root: Path, states: Sequence[str]) -> None:
    """Write what is missing of ``list/``. Names that are there keep their places: a place is a label's number."""
    folder = root / "list"
    _extend(folder / "body_part.txt", PARTS)
    _extend(folder / "part_stat.txt", states)
    _extend(folder / "object.txt", ("none",))
    for split in SPLITS:
        videos_folder(root, split).mkdir(parents=True, exist_ok=True)
        if not frame_list(root, split).is_file():
            _write_text(frame_list(root, split), "")


def read_names(path: Path) -> list[str]:
    """The names of a list, one a line; none where there is no file."""
    return (
        [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        if path.is_file()
        else []
    )


def write_annotations(folder: Path, frames: Sequence[Sequence[Person]]) -> None:
    """Write one JSON file a frame, from frame 1; the folder appears when all are written and replaces an older one."""
    mark = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    partial, old = (folder.with_name(f".{folder.name}.{mark}{kind}.partial") for kind in ("", "-old"))
    partial.mkdir(parents=True)
    try:
        for number, persons in enumerate(frames, start=1):
            text = json.dumps(frame_annotation(persons), ensure_ascii=False, allow_nan=False)
            (partial / frame_name(number)).write_text(text, encoding="utf-8")
        if folder.is_dir():  # removing takes long, and a run that is killed meanwhile would leave half of it
            os.replace(folder, old)
        os.replace(partial, folder)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def list_video(root: Path, split: str, action: str, name: str, num_frames: int) -> None:
    """Put a clip into the official list of frame counts; a line that is there already stays."""
    path = frame_list(root, split)
    if any((row.action, row.name) == (action, name) for row in read_frame_list(path).rows):
        return
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    gap = "" if not text or text.endswith("\n") else "\n"
    cell = f"{action}/{name}.mp4"
    if any(mark in cell for mark in ',"'):
        cell = '"' + cell.replace('"', '""') + '"'
    _write_text(path, f"{text}{gap}{cell},{num_frames}\n")


def remove_clips(root: Path, action: str, clips: Iterable[tuple[str, str]]) -> None:
    """Remove clips, given as name and split, with their labels, frames and review, and take them off the lists."""
    for name, split in clips:
        # The stamp first: without it, the rest counts as not done.
        own_file(root, STAMPS, name).unlink(missing_ok=True)
        own_file(root, LANDMARKS, name).unlink(missing_ok=True)
        (root / REVIEW_FOLDER / f"{name}.mp4").unlink(missing_ok=True)
        _unlist(frame_list(root, split), f"{action}/{name}.mp4")
        for folder in (annotations_folder(root, split), frames_folder(root, split)):
            shutil.rmtree(folder / action / name, ignore_errors=True)
        (videos_folder(root, split) / action / f"{name}.mp4").unlink(missing_ok=True)


def _unlist(path: Path, cell: str) -> None:
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if next(csv.reader([line]), [])[:1] != [cell]]
    if kept != lines:
        _write_text(path, "".join(kept))


def _extend(path: Path, names: Sequence[str]) -> None:
    known = read_names(path)
    missing = [name for name in names if name not in known]
    if missing:
        _write_text(path, "".join(f"{name}\n" for name in [*known, *missing]))


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
