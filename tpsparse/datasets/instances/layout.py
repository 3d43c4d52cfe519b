"""Where things lie in a data set in TAPOS's format: the one place that knows its folders.

ROOT/tapos_annotation.json                           or any tapos_annotation*.json; the entries say their subset
ROOT/videos/<youtube_id>.mp4                         source videos in any container, where they are there
ROOT/instances/<youtube_id>/<instance name>.mp4      cut instances, made by `tools/prepare_data.py tapos cut`
ROOT/features/<name>/<youtube_id>/<instance name>.safetensors
ROOT/problems_tapos.csv                              made by `tools/prepare_data.py tapos check`
"""

from __future__ import annotations

from pathlib import Path

from ..layout import VIDEO_SUFFIXES, is_text

ANNOTATION_FILES = "tapos_annotation*.json"
PROBLEMS_FILE = "problems_tapos.csv"
LONGEST_NAME = 200
"""Bytes of a source video's name: file systems allow 255, of which suffixes and temporary names take some."""


def annotation_files(root: Path) -> list[Path]:
    """The files of annotations in order of their names."""
    return sorted(path for path in root.glob(ANNOTATION_FILES) if path.is_file())


def videos_folder(root: Path) -> Path:
    """Where source videos lie."""
    return root / "videos"


def source_video(root: Path, youtube_id: str) -> Path | None:
    """The source video, None where it is not there."""
    paths = (videos_folder(root) / f"{youtube_id}{suffix}" for suffix in VIDEO_SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def instances_folder(root: Path) -> Path:
    """Where cut instances lie, by source video."""
    return root / "instances"


def instance_file(root: Path, key: str) -> Path:
    """Where a cut instance lies, by its key ``<youtube_id>/<instance name>``."""
    return instances_folder(root) / f"{key}.mp4"


def is_file_name(name: str) -> bool:
    """Whether a source video's name can stand in a path as one part of it."""
    told = bool(name) and not name.startswith(".") and not set(name) & set("/\\\0") and is_text(name)
    return told and len(name.encode()) <= LONGEST_NAME
