"""What lies in a data set's folders now, to be compared with what an index has read.

A *deep* scan looks at the size and time of every annotation; a quick one only at the videos and at the folders of
annotations, whose times change when a file is added, removed or replaced, but not when it is overwritten in place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ..frame_list import FrameList, read_frame_list
from ..layout import FRAME_FILE, SPLITS, annotation_folder, frame_list, video_paths, videos_folder
from .files import VideoFiles
from .tables import Tables, mark, numbers, strings

SMALL_SET = 20_000
"""Annotated frames up to which opening an index looks at every file, which takes some five microseconds for each."""


def scan(root: Path, *, deep: bool) -> Iterator[VideoFiles]:
    """Every video of both splits in the index's order; ``stamp`` is empty where the scan is not deep.

    Raises:
        InputError: If there are no training videos, or a list cannot be understood.
    """
    for split in present_splits(root):
        listed = read_frame_list(frame_list(root, split))
        for path in video_paths(root, split):
            yield _look(root, split, path, listed, deep)


def present_splits(root: Path) -> list[str]:
    """The official splits that have videos here.

    Raises:
        InputError: If there is none.
    """
    present = [split for split in SPLITS if videos_folder(root, split).is_dir()]
    if not present:
        folder = videos_folder(root, SPLITS[0])
        raise InputError(f"{folder} is missing: put videos at {folder}/<action>/<video>.mp4")
    return present


def lists_digest(root: Path) -> str:
    """Digest of all that annotations are checked against: vocabularies, lists of videos and names of actions."""
    digest = hashlib.blake2b(digest_size=16)
    folder = root / "list"
    for path in sorted([*folder.glob("*.txt"), *folder.glob("video_*_flist.csv")]):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    actions = videos_folder(root, SPLITS[0])
    if actions.is_dir():
        digest.update("\n".join(sorted(child.name for child in actions.iterdir() if child.is_dir())).encode())
    return digest.hexdigest()


def is_current(tables: Tables, root: Path) -> bool:
    """Whether an index is of the files that are there now; see the module for what a quick look cannot see."""
    videos = tables["videos"]
    if mark(videos, "lists") != lists_digest(root):
        return False
    deep = len(tables["frames"]) <= SMALL_SET
    now = list(scan(root, deep=deep))
    if len(now) != len(videos):
        return False
    known = zip(
        strings(videos, "split"),
        strings(videos, "action"),
        videos["file"].to_pylist(),
        numbers(videos, "video_bytes").tolist(),
        numbers(videos, "video_mtime").tolist(),
        numbers(videos, "folder_mtime").tolist(),
        videos["stamp"].to_pylist() if deep else [""] * len(now),
    )
    return all(
        (files.split, files.action, files.file, files.video_bytes, files.video_mtime, files.folder_mtime, files.stamp)
        == row
        for files, row in zip(now, known)
    )


def _look(root: Path, split: str, path: Path, listed: FrameList, deep: bool) -> VideoFiles:
    action, row = path.parent.name, listed.find(path.parent.name, path.stem)
    folder = annotation_folder(root, split, action, path.stem)
    video_bytes, video_mtime = _size_and_time(path)
    stamp, num_files = _stamp(folder) if deep else ("", 0)
    return VideoFiles(
        root=root,
        split=split,
        action=action,
        file=path.name,
        listed=None if row is None else row.num_frames,
        video_bytes=video_bytes,
        video_mtime=video_mtime,
        folder_mtime=_size_and_time(folder)[1],
        stamp=stamp,
        num_files=num_files,
    )


def _size_and_time(file: Path | os.DirEntry) -> tuple[int, int]:
    """Bytes and nanoseconds; nothing of a link to nowhere, which is told when it is read."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _stamp(folder: Path) -> tuple[str, int]:
    """Digest of names, sizes and times of a folder's annotations, and how many there are."""
    if not folder.is_dir():
        return "", 0
    try:
        with os.scandir(folder) as entries:
            files = [(entry.name, *_size_and_time(entry)) for entry in entries if FRAME_FILE.fullmatch(entry.name)]
    except OSError:  # which is told when the folder is read
        return "unreadable", 0
    lines = sorted(f"{name} {size} {time}" for name, size, time in files)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest(), len(lines)
