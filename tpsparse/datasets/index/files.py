"""One video's files, as they are on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ..layout import videos_folder
from ..video import VideoFacts, count_decoded, examine_video


@dataclass(frozen=True)
class VideoFiles:
    """One video's files as they are on the disk now.

    Attributes:
        listed: Frames that the data set's list says it has.
        folder_mtime: Of the folder of annotations, in nanoseconds; 0 where there is none.
        stamp: Digest of the annotations' names, sizes and times; empty after a quick look.
        num_files: Annotations; 0 after a quick look.
    """

    root: Path
    split: str
    action: str
    file: str
    listed: int | None
    video_bytes: int
    video_mtime: int
    folder_mtime: int
    stamp: str
    num_files: int

    @property
    def name(self) -> str:
        """The video's name."""
        return Path(self.file).stem

    @property
    def path(self) -> Path:
        """The video file."""
        return videos_folder(self.root, self.split) / self.action / self.file


class Examined(NamedTuple):
    """What is known of a video file: its facts or why there are none, and its frames if they were all decoded."""

    facts: VideoFacts | None
    error: str | None
    decoded: int | None


def examine(path: Path, *, check_videos: bool) -> Examined:
    """Look at a video file; what is wrong with it is part of the answer."""
    try:
        facts = examine_video(path)
        return Examined(facts, None, count_decoded(path) if check_videos else None)
    except InputError as error:
        return Examined(None, str(error).removeprefix(f"{path} "), None)
