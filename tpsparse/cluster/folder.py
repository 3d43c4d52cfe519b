"""Where the results of a collection lie, and what is in them.

    OUT/results/<xx>/<key>.safetensors     a video's record; <key>.json beside it where that is asked for
    OUT/failures/<xx>/<key>.json           why a video has none
    OUT/under_way/<key>.json               a video that a worker has now
    OUT/deaths/<key>.json                  a video whose worker has died, until it is done or set aside
    OUT/made_by.json  summary.json

A key is made from the absolute path of a video: its name as far as any file system takes it, and a digest, of which the
first two digits are the folder ``<xx>``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from ..errors import InputError
from ..structures.files import MADE_BY, remove_partials, write_json, writing_told
from ..structures.folder_lock import folder_lock

SUMMARY = "summary.json"
NAME_LENGTH, DIGEST_LENGTH = 60, 20


class Identity(NamedTuple):
    """What a video file is known by: another size in bytes or time of change stands for other content."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Item:
    """A video of the collection.

    Args:
        line: Where it is named first, from 1.
        path: Its absolute path.
    """

    line: int
    path: str

    @cached_property
    def digest(self) -> str:
        """Of the path; two of a thousand million paths share one with a probability below one in a million."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:DIGEST_LENGTH]

    @cached_property
    def key(self) -> str:
        """What its files are called: letters, digits, ``.``, ``_`` and ``-``, and short enough for any file system."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:NAME_LENGTH].lstrip(".")
        return f"{name}-{self.digest}"

    def identity(self) -> Identity | None:
        """Of the file now; None where there is none, or no file but a folder.

        Raises:
            OSError: If it cannot be looked at, as when a disk does not answer.
        """
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Identity(found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


class Record(NamedTuple):
    """What is told of a saved record without reading its arrays: parsed frames, and bytes of the file."""

    frames: int
    size: int


class Folder:
    """The output folder of a collection."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(os.path.abspath(root))

    def result(self, key: str) -> Path:
        """The record of a video."""
        return self.root / "results" / shard(key) / f"{key}.safetensors"

    def export(self, key: str) -> Path:
        """What the record says, by names, for other programs."""
        return self.result(key).with_suffix(".json")

    def failure(self, key: str) -> Path:
        """Why a video has no record."""
        return self.root / "failures" / shard(key) / f"{key}.json"

    def marker(self, key: str) -> Path:
        """There while a worker has the video."""
        return self.root / "under_way" / f"{key}.json"

    def deaths(self, key: str) -> Path:
        """The workers that have died on a video."""
        return self.root / "deaths" / f"{key}.json"

    def clear_stale(self, item: Item, expected: dict[str, str]) -> None:
        """Remove what is said of a video that is to be parsed anew; a record that is as expected stays."""
        self.failure(item.key).unlink(missing_ok=True)
        if read_record(self.result(item.key), expected) is None:
            for path in (self.result(item.key), self.export(item.key)):
                path.unlink(missing_ok=True)

    def remove_partials(self, key: str) -> None:
        """Remove what a worker has left half-written of a video."""
        for path in self.result(key).parent.glob(f".{key}.*.partial*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other runs out; the claim of a run that was killed ends with it.

        Raises:
            InputError: If another run has the folder.
        """
        with folder_lock(self.root, remedy="give another --out"):
            remove_partials(self.root)
            yield

    def check_maker(self, made_by: dict[str, Any]) -> None:
        """Refuse to mix records of different systems; a new folder notes whose records it holds.

        Args:
            made_by: ``fingerprint`` and ``features`` decide; what else it says is for readers.

        Raises:
            InputError: If the folder has records of another system, or does not say of which.
        """
        path = self.root / MADE_BY
        if not path.exists():
            if (self.root / "results").exists():
                raise InputError(f"{path} is missing, so whose records are beside it is unknown: give another --out")
            with writing_told(path):
                write_json(path, made_by)
            return
        found = read_json(path)
        if any(found.get(name) != made_by[name] for name in ("fingerprint", "features")):
            told = f"says that the records beside it are of another system, version or options ({found.get('config')})"
            raise InputError(f"{path} {told}: give another --out, or repeat what they were made with")


def shard(key: str) -> str:
    """The folder of a key: 256 of them keep each at some thousand files for a million videos."""
    return key[-DIGEST_LENGTH:][:2]


def metadata_of(item: Item, identity: Identity, fingerprint: str) -> dict[str, str]:
    """What a record says of how it was made; nothing of it differs between two runs over the same files."""
    return dict(path=item.path, system=fingerprint, size=str(identity.size), mtime_ns=str(identity.mtime_ns))


def read_record(path: Path, expected: dict[str, str]) -> Record | None:
    """What is told of a whole record that was made from what is expected; None where there is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            found = file.metadata() or {}
            if any(found.get(name) != value for name, value in expected.items()):
                return None
            frames = file.get_slice("frame_index").get_shape()[0]
        return Record(frames, path.stat().st_size)
    except (SafetensorError, OSError):
        return None


def read_json(path: Path) -> dict[str, Any]:
    """A file of this folder; empty where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
