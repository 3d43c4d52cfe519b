"""Where things lie in a data set in the official Kinetics-TPS layout: the one place that knows its folders.

    ROOT/<split>_videos/<action>/<video>.mp4
    ROOT/<split>_annotations/<action>/<video>/img_00001.json     or <video>/<video>/img_00001.json
    ROOT/<split>_frames/<action>/<video>/img_00001.jpg           made by `tools/prepare_data.py frames`
    ROOT/keypoints/<video>.safetensors                           where they are known; saved parses, no more in them
    ROOT/list/video_<split>_flist.csv  body_part.txt  part_stat.txt  object.txt
    ROOT/splits/<name>.json                                      made by `tools/prepare_data.py splits`
    ROOT/index/                                                  made by `tools/prepare_data.py index`

Frames are numbered from 1.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import InputError

SPLITS = ("train", "test")
INSTANCES = "instances"
"""In place of a split: the cut instances of a data set in TAPOS's layout, by source video in place of action."""
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov")
FRAME_FILE = re.compile(r"img_(\d{1,9})\.json", re.ASCII)


def videos_folder(root: Path, split: str) -> Path:
    """Where the videos of an official split lie, by action; of :data:`INSTANCES` the instances, by source video."""
    return root / (split if split == INSTANCES else f"{split}_videos")


def annotations_folder(root: Path, split: str) -> Path:
    """Where the annotations of an official split lie, by action and video."""
    return root / f"{split}_annotations"


def frames_folder(root: Path, split: str) -> Path:
    """Where extracted frames of an official split lie, by action and video."""
    return root / f"{split}_frames"


def flow_folder(root: Path, split: str) -> Path:
    """Where extracted optical flow of an official split lies, by action and video."""
    return root / f"{split}_flow"


def flow_of(video: Path) -> tuple[Path, Path] | None:
    """The data set that a video file lies in, and where its flow is or would be; None outside of the layout."""
    video = Path(os.path.abspath(video))
    root = video.parents[min(2, len(video.parents) - 1)]
    for split in (*SPLITS, INSTANCES):
        if videos_folder(root, split) / video.parent.name == video.parent:
            return root, flow_folder(root, split) / video.parent.name / video.stem
    return None


def annotation_folder(root: Path, split: str, action: str, video: str) -> Path:
    """Where the frames of one video are annotated; some releases repeat the video's folder."""
    folder = f"{annotations_folder(root, split)}/{action}/{video}"
    nested = f"{folder}/{video}"
    return Path(nested if os.path.isdir(nested) else folder)


def keypoints_file(root: Path, video: str) -> Path:
    """Where the known keypoints of a video of either split lie, a :class:`VideoParse` with boxes and keypoints."""
    return root / "keypoints" / f"{video}.safetensors"


def frame_list(root: Path, split: str) -> Path:
    """The official list of frame counts."""
    return root / "list" / f"video_{split}_flist.csv"


def frame_name(number: int, suffix: str = ".json") -> str:
    """File name of a frame, from 1."""
    return f"img_{number:05d}{suffix}"


def flow_name(axis: str, number: int) -> str:
    """File name of the flow along an axis, x or y, from a frame to the next, from 1."""
    return f"flow_{axis}_{number:05d}.jpg"


def frame_number(name: str) -> int:
    """The number in the name of an annotation, which :data:`FRAME_FILE` describes."""
    return int(name[len("img_") : -len(".json")])


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, and so can be written into files."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and is_text(name)


def video_paths(root: Path, split: str) -> list[Path]:
    """Every video file of an official split in order of action and name, but for what is hidden.

    Raises:
        InputError: If the folder is missing.
    """
    folder = videos_folder(root, split)
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: put videos at {folder}/<action>/<video>.mp4")
    # Strings, not paths: opening an index lists thousands of videos.
    actions = [entry.name for entry in os.scandir(folder) if entry.is_dir() and _is_shown(entry.name)]
    return [
        folder / action / name
        for action in sorted(actions)
        for name in sorted(os.listdir(folder / action))
        if _is_shown(name) and name.lower().endswith(VIDEO_SUFFIXES)
    ]
