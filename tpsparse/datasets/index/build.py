"""Build the index of a data set, or bring it up to date.

Videos are read in pieces, each an index of its own that is written when it is done; at the end the pieces and what
still holds of the index before are joined. So an interrupted build goes on, and a later one reads only what changed.
"""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from tqdm import tqdm

from ...errors import InputError
from ...structures.files import remove_partials
from ...taxonomy import Taxonomy
from ...workers import Crashed, cores, run_alone, run_pooled
from ..video import VideoFacts
from .files import Examined, VideoFiles
from .reading import read_pieces
from .scan import is_current, lists_digest, scan
from .schema import VERSION
from .summary import IndexSummary, write_problems
from .tables import OtherVersionError, Tables, join, load, mark, save
from .whole import check_whole

FILES_OF_PIECE = 2_500
FILES_FOR_POOL = 2_000
"""Below this the work is done sooner than further processes have started."""
LOCK, PIECES = ".lock", "pieces"
Task = tuple[VideoFiles, Examined | None]


def build_index(
    root: Path, *, workers: int | None = None, check_videos: bool = False, progress: bool = True
) -> IndexSummary:
    """Read what is new or changed of a data set, check it, and write ``ROOT/index``.

    Args:
        root: A data set in the official layout, with its lists.
        workers: Processes; None for one a processor core.
        check_videos: Decode every video to its end and count its frames; counted once, it is remembered.
        progress: Whether to show a progress bar.

    Raises:
        InputError: If the folder holds no data set, or the index is of a later version.
    """
    root = Path(root)
    build = _Build(root, index_folder(root), check_videos=check_videos, progress=progress)
    with locked(build.folder):
        return build.run(workers or cores())


def open_tables(root: Path) -> Tables:
    """The index's tables by memory map, brought up to date first where they are not.

    Raises:
        InputError: As :func:`build_index`, or where the index is out of date and may not be written.
    """
    folder = index_folder(root)
    tables = _load(folder)
    if tables is not None and is_current(tables, root):
        return tables
    if folder.is_dir() and not os.access(folder, os.W_OK):
        told = "is older than the data set's files and cannot be written to"
        raise InputError(f"{folder} {told}: have its owner run tools/prepare_data.py index {root}")
    with locked(folder):
        tables = _load(folder)  # another process may have brought it up to date meanwhile
        if tables is None or not is_current(tables, root):
            print(f"the index of {root} is missing or older than its files: reading what is new", flush=True)
            _Build(root, folder, check_videos=False, progress=True).run(cores())
            tables = _load(folder)
    if tables is None:
        raise InputError(f"{folder} was changed while it was read: run the same command again")
    return tables


def index_folder(root: Path) -> Path:
    """Where the index of a data set lies: in it, or in the user's cache where the data set cannot be written to."""
    folder = root / "index"
    if folder.is_dir() or os.access(root, os.W_OK):
        return folder
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (
        cache / "tpsparse" / f"{root.name}-{hashlib.blake2b(str(root.resolve()).encode(), digest_size=8).hexdigest()}"
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process builds an index: another waits for it, and says so.

    Raises:
        InputError: If the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except PermissionError as error:
        told = "cannot be written to: have its owner run tools/prepare_data.py index, or use a copy of the data set"
        raise InputError(f"{folder} {told}") from error
    except Timeout:
        print(f"another process is writing {folder}: waiting for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Build:
    """One build of one index."""

    def __init__(self, root: Path, folder: Path, *, check_videos: bool, progress: bool) -> None:
        self.root, self.folder = root, folder
        self.check_videos, self.progress = check_videos, progress
        self.taxonomy = Taxonomy.from_root(root)
        self.known: dict[tuple[str, str, str], tuple[Tables, int]] = {}

    def run(self, workers: int) -> IndexSummary:
        """Read, join, check, write."""
        remove_partials(self.folder)
        lists = lists_digest(self.root)
        looks = scan(self.root, deep=True)
        videos = list(tqdm(looks, desc="look at files", unit="video", disable=not self.progress, leave=False))
        before = _load(self.folder)
        self._learn(before)
        for folder in sorted((self.folder / PIECES).glob("*")):
            self._learn(_load(folder))
        tasks = [task for files in videos if (task := self._task(files)) is not None]
        if before is not None and self._same(before, videos, lists) and not tasks:
            write_problems(self.folder / "problems.csv", before)
            return IndexSummary(self.root, self.folder, before, read=0)
        for piece in self._read(tasks, workers):
            self._learn(_load(piece))
        tables = check_whole(join(self._runs(videos)), self.root, self.taxonomy)
        self.known.clear()
        save(tables, self.folder, lists=lists)
        write_problems(self.folder / "problems.csv", tables)
        shutil.rmtree(self.folder / PIECES, ignore_errors=True)
        return IndexSummary(self.root, self.folder, tables, read=len(tasks))

    def _same(self, before: Tables, videos: list[VideoFiles], lists: str) -> bool:
        """Whether tables are of these videos, checked against these lists."""
        return mark(before["videos"], "lists") == lists and len(before["videos"]) == len(videos)

    def _learn(self, tables: Tables | None) -> None:
        """Note where each video of some tables is to be found."""
        if tables is None:
            return
        for row, video in enumerate(tables["videos"].select(["split", "action", "file"]).to_pylist()):
            self.known[video["split"], video["action"], video["file"]] = tables, row

    def _task(self, files: VideoFiles) -> Task | None:
        """What there is to read of a video, with what is known of its file; None where nothing has changed."""
        found = self.known.get((files.split, files.action, files.file))
        if found is None:
            return files, None
        row = found[0]["videos"].slice(found[1], 1).to_pylist()[0]
        if (row["video_bytes"], row["video_mtime"]) != (files.video_bytes, files.video_mtime):
            return files, None
        if row["error"] is not None:  # which may have passed, as a missing permission does
            return files, None
        unchecked = self.check_videos and row["decoded_frames"] is None
        known = (row["stamp"], row["folder_mtime"], row["listed_frames"])
        if known == (files.stamp, files.folder_mtime, files.listed) and not unchecked:
            return None
        facts = VideoFacts(row["video_frames"], (row["height"], row["width"]), row["fps"])
        return files, Examined(facts, None, row["decoded_frames"])

    def _read(self, tasks: list[Task], workers: int) -> Iterator[Path]:
        """Read pieces of the data set, in several processes where that pays; their folders as they are done."""
        pieces = [_Piece(piece, self._place(piece), self.check_videos) for piece in _cut(tasks)]
        total = sum(files.num_files for files, _ in tasks)
        workers = 1 if total + 50 * len(tasks) < FILES_FOR_POOL else workers
        with tqdm(total=total, desc="index", unit="file", disable=not self.progress or not tasks) as bar:
            for piece, out in run_pooled(_read_piece, pieces, workers):
                bar.update(sum(files.num_files for files, _ in piece.tasks))
                yield from map(self._read_carefully, piece.tasks) if isinstance(out, Crashed) else [out]

    def _read_carefully(self, task: Task) -> Path:
        """Read a video by itself, of which it is not known whether it crashes a library."""
        out = run_alone(_read_piece, _Piece([task], self._place([task]), self.check_videos))
        if not isinstance(out, Crashed):
            return out
        crashed = Examined(None, "ends the process that reads it: replace or remove it", None)
        return _read_piece(_Piece([(task[0], crashed)], self._place([task]), False))

    def _place(self, piece: list[Task]) -> Path:
        """A folder for a piece, the same for the same state of the same files."""
        digest = hashlib.blake2b(repr((VERSION, self.check_videos, piece)).encode(), digest_size=16)
        return self.folder / PIECES / digest.hexdigest()

    def _runs(self, videos: Iterable[VideoFiles]) -> Iterator[tuple[Tables, int, int]]:
        """Where the videos are to be found in order, neighbours that follow each other there taken together."""
        tables, start, stop = None, 0, 0
        for files in videos:
            found, row = self.known[files.split, files.action, files.file]
            if found is tables and row == stop:
                stop += 1
                continue
            if tables is not None:
                yield tables, start, stop
            tables, start, stop = found, row, row + 1
        if tables is not None:
            yield tables, start, stop


class _Piece(NamedTuple):
    """Videos that are read together, and the folder of their index."""

    tasks: list[Task]
    out: Path
    check_videos: bool


def _read_piece(piece: _Piece) -> Path:
    # Records have no cycles: the collector would only walk millions of live lists, a quarter of the time.
    gc.disable()
    try:
        save(read_pieces(piece.tasks, check_videos=piece.check_videos), piece.out, lists="")
    finally:
        gc.enable()
    return piece.out


def _cut(tasks: list[Task]) -> Iterator[list[Task]]:
    piece: list[Task] = []
    files = 0
    for task in tasks:
        piece.append(task)
        files += task[0].num_files + 1
        if files >= FILES_OF_PIECE:
            yield piece
            piece, files = [], 0
    if piece:
        yield piece


def _load(folder: Path) -> Tables | None:
    """The index in a folder; None where there is none of this version that is whole.

    Raises:
        InputError: If it is of a later version, which this one must not destroy.
    """
    try:
        return load(folder)
    except OtherVersionError as error:
        if error.version > VERSION:
            told = f"was written by a later tpsparse (index version {error.version}, this one knows {VERSION})"
            raise InputError(f"{folder} {told}: update tpsparse, or remove the folder") from error
        print(f"{folder} was written by an earlier tpsparse: reading everything again", flush=True)
        return None
