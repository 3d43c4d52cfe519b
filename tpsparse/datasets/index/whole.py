"""What is checked of a data set as a whole, anew at each build: lists, names of videos, names of labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...taxonomy import Taxonomy
from ..frame_list import read_frame_list
from ..layout import annotation_folder, frame_list, frame_name, is_text, videos_folder
from .checks import KINDS
from .scan import present_splits
from .schema import SCHEMAS
from .tables import Tables, append_rows, names, numbers

NO_VIDEO = -1
LABELS = {"unknown-part": ("parts", "part"), "unknown-state": ("parts", "state"), "unknown-object": ("objects", "name")}
Row = tuple[int, str, int, str, str, str, str]
"""A row of the table ``problems``."""


def check_whole(tables: Tables, root: Path, taxonomy: Taxonomy) -> Tables:
    """The tables with the videos that cannot be used marked, and what was found added to the problems."""
    videos = tables["videos"].select(["split", "action", "file", "error"]).to_pylist()
    usable = [video["error"] is None for video in videos]
    rows = [
        *_check_names(videos, usable, taxonomy),
        *_check_lists(videos, root, taxonomy),
        *unknown_labels(tables, root, taxonomy),
    ]
    position = SCHEMAS["videos"].get_field_index("usable")
    marked = tables["videos"].set_column(position, SCHEMAS["videos"].field(position), pa.array(usable, pa.bool_()))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(SCHEMAS["problems"].names)}
    problems = append_rows(tables["problems"], "problems", columns)
    return {**tables, "videos": marked, "problems": problems}


def unknown_labels(
    tables: Tables, root: Path, taxonomy: Taxonomy, *, within: Callable[[str], np.ndarray] | None = None
) -> Iterable[Row]:
    """One row for each name that the lists do not have, with the first file that has it.

    Args:
        tables: Of the index.
        root: The data set.
        taxonomy: What the lists have.
        within: Gives the rows of a table that count; all of them by default.
    """
    known = {"unknown-part": taxonomy.part_ids, "unknown-state": taxonomy.state_ids}
    if taxonomy.objects:
        known["unknown-object"] = taxonomy.object_ids
    for kind, ids in known.items():
        table, column = LABELS[kind]
        unknown = {place: name for place, name in enumerate(names(tables[table], column)) if name not in ids}
        if not unknown:  # the usual case, in which opening an index must not look at millions of rows
            continue
        held = numbers(tables[table], column)
        candidates = np.arange(len(held)) if within is None else within(table)
        candidates = candidates[np.isin(held[candidates], list(unknown))]
        for place, name in unknown.items():
            rows = candidates[held[candidates] == place]
            if len(rows):
                video, number, file = _place(tables, root, table, int(rows[0]))
                more = f", nor are {len(rows) - 1} more of the kind" if len(rows) > 1 else ""
                message = f"{column} {name!r} is not in the list{more}: {KINDS[kind].remedy}"
                yield video, kind, number, file, column, name, message


def _place(tables: Tables, root: Path, table: str, row: int) -> tuple[int, int, str]:
    """Row of the video, number of the frame and file of a row of parts or objects."""
    if table == "parts":
        table, row = "persons", int(numbers(tables["parts"], "person")[row])
    frame = int(numbers(tables[table], "frame")[row])
    number = int(numbers(tables["frames"], "number")[frame])
    video = int(numbers(tables["frames"], "video")[frame])
    entry = tables["videos"].select(["split", "action", "file"]).slice(video, 1).to_pylist()[0]
    folder = annotation_folder(root, entry["split"], entry["action"], Path(entry["file"]).stem)
    return video, number, (folder / frame_name(number)).relative_to(root).as_posix()


def _check_names(videos: list[dict[str, Any]], usable: list[bool], taxonomy: Taxonomy) -> Iterable[Row]:
    """Mark videos of unknown actions, and all but the first of those that share a name within a split."""
    taken: dict[tuple[str, str], str] = {}
    for row, video in enumerate(videos):
        file, name = _video_file(video), Path(video["file"]).stem
        if video["action"] not in taxonomy.action_ids:
            usable[row] = False
            message = f"action {video['action']!r} is not known: {KINDS['unknown-action'].remedy}"
            yield row, "unknown-action", 0, file, "action", video["action"], message
        elif not usable[row]:
            continue  # it must not cost another file of its name
        elif (video["split"], name) in taken:
            usable[row] = False
            other = taken[video["split"], name]
            message = f"{other} has the same name: {KINDS['duplicate-video'].remedy}"
            yield row, "duplicate-video", 0, file, "name", name, message
        else:
            taken[video["split"], name] = file


def _check_lists(videos: list[dict[str, Any]], root: Path, taxonomy: Taxonomy) -> Iterable[Row]:
    for split in present_splits(root):
        for path in videos_folder(root, split).glob("*/*"):
            place = str(path.relative_to(root))
            if not is_text(place):
                name = os.fsencode(place).decode("utf-8", "replace")
                message = f"is not text: {KINDS['unusable-name'].remedy}"
                yield NO_VIDEO, "unusable-name", 0, name, "name", name, message
        path = frame_list(root, split)
        listed, file = read_frame_list(path), path.relative_to(root).as_posix()
        if not len(listed):
            continue
        rows = {Path(video["file"]).stem: row for row, video in enumerate(videos) if video["split"] == split}
        for name in listed.repeated():
            message = f"{name} is listed more than once: {KINDS['listed-twice'].remedy}"
            yield rows.get(name, NO_VIDEO), "listed-twice", 0, file, "video", name, message
        for entry in listed.rows:
            if entry.name not in rows:
                missing = (videos_folder(root, split) / entry.action / entry.name).relative_to(root).as_posix()
                message = f"is listed but not there: {KINDS['listed-missing'].remedy}"
                yield NO_VIDEO, "listed-missing", 0, missing, "video", entry.name, message
        for row, video in enumerate(videos):
            if video["split"] != split:
                continue
            found = listed.find(video["action"], Path(video["file"]).stem)
            if found is None:
                message = f"is not in {file}: {KINDS['not-listed'].remedy}"
                yield row, "not-listed", 0, _video_file(video), "video", video["file"], message
            elif found.action != video["action"] and found.action in taxonomy.action_ids:
                message = f"is listed under {found.action}: {KINDS['listed-elsewhere'].remedy}"
                yield row, "listed-elsewhere", 0, _video_file(video), "action", found.action, message


def _video_file(video: dict[str, Any]) -> str:
    return (videos_folder(Path(), video["split"]) / video["action"] / video["file"]).as_posix()
