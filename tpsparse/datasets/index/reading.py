"""Read videos with their annotations into tables."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..video import VideoFacts
from .annotations import VideoReader
from .files import Examined, VideoFiles, examine
from .schema import SCHEMAS
from .tables import Tables, make_tables


def read_pieces(tasks: Iterable[tuple[VideoFiles, Examined | None]], *, check_videos: bool) -> Tables:
    """The index of some videos.

    Args:
        tasks: Each video, and what is known of it where its file has not changed.
        check_videos: Decode every video to its end and count.
    """
    reader = _Reader(check_videos)
    for files, examined in tasks:
        reader.read(files, examined)
    return make_tables(reader.columns)


class _Reader:
    """Columns of all tables, filled video by video; row numbers count from this reader's first."""

    def __init__(self, check_videos: bool) -> None:
        self.check_videos = check_videos
        self.columns: dict[str, dict[str, list]] = {
            table: {column: [] for column in schema.names} for table, schema in SCHEMAS.items()
        }

    def read(self, files: VideoFiles, examined: Examined | None) -> None:
        if examined is None or (self.check_videos and examined.decoded is None):
            examined = examine(files.path, check_videos=self.check_videos)
        starts = {table: self._length(table) for table in ("frames", "problems", "keys")}
        video = VideoReader(files, examined)
        video.read()
        self._add_rows(video)
        self._extend("problems", video=self._length("videos"), rows=video.problems)
        self._extend("keys", video=self._length("videos"), rows=video.key_counts())
        facts = examined.facts or VideoFacts(0, (0, 0), 0.0)
        row = dict(
            split=files.split,
            action=files.action,
            file=files.file,
            usable=examined.error is None,
            error=examined.error,
            num_frames=video.num_frames,
            video_frames=facts.num_frames,
            listed_frames=files.listed,
            decoded_frames=examined.decoded,
            height=facts.size[0],
            width=facts.size[1],
            fps=facts.fps,
            video_bytes=files.video_bytes,
            video_mtime=files.video_mtime,
            folder_mtime=files.folder_mtime,
            stamp=files.stamp,
            content=video.content.hexdigest(),
        )
        for name, table in (("frame", "frames"), ("problem", "problems"), ("key", "keys")):
            row[f"{name}_start"], row[f"{name}_stop"] = starts[table], self._length(table)
        self._extend("videos", rows=[tuple(row[name] for name in SCHEMAS["videos"].names)])

    def _add_rows(self, video: VideoReader) -> None:
        """Add the rows of a video, with counts of children turned into ranges of rows."""
        first = {name: self._length(name) for name in ("frames", "persons", "parts", "objects")}
        part_ends = first["parts"] + _ends(video.parts, len(video.persons))
        person_ends = first["persons"] + _ends(video.persons, len(video.frames))
        object_ends = first["objects"] + _ends(video.objects, len(video.frames))
        frames = zip(video.frames, *_ranges(person_ends), *_ranges(object_ends))
        persons = zip(video.persons, *_ranges(part_ends))
        self._extend(
            "frames",
            video=self._length("videos"),
            rows=[(number, *ranges, extra) for (number, extra), *ranges in frames],
        )
        self._extend(
            "persons",
            rows=[
                (first["frames"] + frame, number, box, *ranges, extra)
                for (frame, number, box, extra), *ranges in persons
            ],
        )
        self._extend("parts", rows=[(first["persons"] + person, *rest) for person, *rest in video.parts])
        self._extend("objects", rows=[(first["frames"] + frame, *rest) for frame, *rest in video.objects])

    def _extend(self, table: str, *, rows: list[tuple], video: int | None = None) -> None:
        added = list(zip(*rows)) if video is None else [(video,) * len(rows), *zip(*rows)]
        for column, values in zip(self.columns[table].values(), added):
            column.extend(values)

    def _length(self, table: str) -> int:
        return len(next(iter(self.columns[table].values())))


def _ends(children: list[tuple], parents: int) -> np.ndarray:
    """(parents + 1,) where the children of each parent begin and end; a child's first item is its parent."""
    counts = np.bincount([child[0] for child in children], minlength=parents) if children else np.zeros(parents)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _ranges(ends: np.ndarray) -> tuple[list[int], list[int]]:
    return ends[:-1].tolist(), ends[1:].tolist()
