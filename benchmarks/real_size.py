"""An index of the real size of Kinetics-TPS, made directly as Arrow from that of a generated tree (``tree.py``).

3,809 training videos with about 151 annotated frames each and 932 test videos: the rows of the tree's index, repeated
until there are as many. The videos are there as links to one clip and the folders of annotations are there, empty:
opening an index looks at both.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa

from tpsparse.datasets.index.build import index_folder
from tpsparse.datasets.index.scan import lists_digest, scan
from tpsparse.datasets.index.schema import SCHEMAS
from tpsparse.datasets.index.tables import Tables, join, load, save
from tpsparse.datasets.layout import SPLITS, annotations_folder, videos_folder

VIDEOS = {"train": 3809, "test": 932}
LINKS_OF_A_FILE = 60_000  # ext4 allows 65,000


def make_real_size(out: Path, tree: Path, *, videos: dict[str, int] = VIDEOS) -> None:
    """Write a data set without annotations whose index has the rows of many; nothing where it is there already.

    Args:
        out: Its folder; made under another name and moved into place.
        tree: A generated tree with an index.
        videos: Split to number of videos.

    Raises:
        RuntimeError: If the tree has no index.
    """
    if out.exists():
        return
    base = load(index_folder(tree))
    if base is None:
        raise RuntimeError(f"{tree} has no index")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _make_files(partial, tree, videos)
    tables = join(_repeated(base, videos))
    tables["videos"] = _with_files(tables["videos"], partial)
    save(tables, index_folder(partial), lists=lists_digest(partial))
    partial.rename(out)


def _make_files(root: Path, tree: Path, videos: dict[str, int]) -> None:
    shutil.copytree(tree / "list", root / "list")
    clip = next(videos_folder(tree, "train").glob("*/*.mp4"))
    actions = sorted(path.name for path in videos_folder(tree, "train").iterdir())
    for split, count in videos.items():
        listed = [f"{actions[number % len(actions)]}/clip_{split}_{number:05d}.mp4" for number in range(count)]
        for number, place in enumerate(listed):
            path = videos_folder(root, split) / place
            path.parent.mkdir(parents=True, exist_ok=True)
            if number % LINKS_OF_A_FILE == 0:
                shutil.copy(clip, path)
                clip = path
            else:
                os.link(clip, path)
            if split == "train":
                (annotations_folder(root, split) / place).with_suffix("").mkdir(parents=True)
        (root / "list" / f"video_{split}_flist.csv").write_text("".join(f"{place},151\n" for place in listed))


def _repeated(base: Tables, videos: dict[str, int]) -> list[tuple[Tables, int, int]]:
    """Pieces for :func:`join` with so many videos of each split."""
    split = np.array(base["videos"]["split"].to_pylist())
    pieces = []
    for name in SPLITS:
        first, count = int(np.argmax(split == name)), int(np.count_nonzero(split == name))
        whole, rest = divmod(videos[name], count)
        pieces += [(base, first, first + count)] * whole + [(base, first, first + rest)] * (rest > 0)
    return pieces


def _with_files(table: pa.Table, root: Path) -> pa.Table:
    """The table of videos with the names, sizes, times and stamps of the files that are there."""
    found = list(scan(root, deep=True))
    if len(found) != len(table):
        raise RuntimeError(f"{root} has {len(found)} videos, the table {len(table)}")
    columns = {
        "action": [files.action for files in found],
        "file": [files.file for files in found],
        "video_bytes": [files.video_bytes for files in found],
        "video_mtime": [files.video_mtime for files in found],
        "folder_mtime": [files.folder_mtime for files in found],
        "stamp": [files.stamp for files in found],
    }
    for name, values in columns.items():
        position = SCHEMAS["videos"].get_field_index(name)
        kind = SCHEMAS["videos"].field(name).type
        array = (
            pa.array(values, pa.string()).dictionary_encode().cast(kind) if name == "action" else pa.array(values, kind)
        )
        table = table.set_column(position, SCHEMAS["videos"].field(name), array)
    return table
