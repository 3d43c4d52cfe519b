"""Write the synthetic data set in the official Kinetics-TPS layout, video by video, in several processes.

Below the folder ``out``: ``{train,test}_videos/<action>/<video>.mp4``,
``{train,test}_annotations/<action>/<video>/img_%05d.json`` (frames from 1), ``keypoints/<video>.safetensors`` with the
boxes and keypoints of the annotated persons of every frame, ``list/*`` and ``synthetic.json``, which holds the
parameters.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...structures.folder_lock import folder_lock
from ...structures.parse import FrameParse, VideoParse
from ..layout import keypoints_file
from .actions import ACTIONS, Action
from .files import FPS, check_drawing, claim, make_room, video_writer, write_missing, write_text
from .scene import plan_scene
from .states import PARTS, STATES

FORMAT = 2  # of the drawing: raise it whenever the same parameters give other files
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Clip:
    """One video to write; all its randomness follows from ``seed``, split, action and number."""

    out: Path
    split: str
    action: Action
    number: int
    frames: int
    size: tuple[int, int]
    seed: int

    @property
    def name(self) -> str:
        """Name of the video, the same in no other split or action."""
        return f"{self.action.name}_{self.split}_{self.number:03d}"

    @property
    def video(self) -> Path:
        """Path of the mp4."""
        return self.out / f"{self.split}_videos" / self.action.name / f"{self.name}.mp4"

    @property
    def annotations(self) -> list[Path]:
        """Paths of the JSON files, one a frame."""
        folder = self.out / f"{self.split}_annotations" / self.action.name / self.name
        return [folder / f"img_{frame:05d}.json" for frame in range(1, self.frames + 1)]

    @property
    def keypoints(self) -> Path:
        """Path of the record with the persons' keypoints."""
        return keypoints_file(self.out, self.name)

    def is_written(self) -> bool:
        """Whether every file is there."""
        return all(path.is_file() for path in (self.video, self.keypoints, *self.annotations))

    def generator(self) -> np.random.Generator:
        """The video's own random numbers."""
        key = (self.seed, SPLITS.index(self.split), zlib.crc32(self.action.name.encode()), self.number)
        return np.random.default_rng(np.random.SeedSequence(key))


def write_dataset(
    out: Path,
    *,
    actions: int = 8,
    train: int = 32,
    test: int = 5,
    frames: int = 20,
    size: tuple[int, int] = (144, 192),
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> None:
    """Write a data set of drawn people, or what is still missing of it.

    The files depend on the parameters alone, not on ``workers``. A video whose files are all there is not made again.

    Args:
        out: Folder of the data set, made if need be.
        actions: Number of action classes.
        train: Training videos of each action.
        test: Test videos of each action.
        frames: Frames of each video.
        size: (height, width) in pixels, both even.
        seed: Seed of everything random.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Raises:
        InputError: If a parameter cannot be used, ``out`` holds something else or a set with other parameters, or
            another run is writing it.
    """
    out, size = Path(out), (int(size[0]), int(size[1]))
    counts = {"train": train, "test": test}
    _check(counts, actions=actions, frames=frames, size=size, seed=seed, workers=workers)
    parameters = {"actions": actions, **counts, "frames": frames, "size": list(size), "seed": seed, "format": FORMAT}
    claim(out, parameters)
    chosen = ACTIONS[:actions]
    clips = [
        Clip(out, split, action, number, frames, size, seed)
        for split in SPLITS
        for action in chosen
        for number in range(counts[split])
    ]
    with folder_lock(out, remedy="give another --out"):
        _write_lists(out, chosen, clips)
        write_missing(write_clip, clips, workers=workers, progress=progress, unit="video")


def write_clip(clip: Clip) -> None:
    """Draw one video and write its annotations, then its keypoints, then its mp4."""
    make_room(clip.keypoints.parent, f".{clip.name}.*.partial*")
    make_room(clip.annotations[0].parent, ".*.partial")
    scene = plan_scene(clip.generator(), clip.action, frames=clip.frames, size=clip.size)
    record = VideoParse(clip.name, size=clip.size, num_frames=clip.frames, fps=FPS)
    with video_writer(clip.video, clip.size) as add:
        for frame, path in enumerate(clip.annotations):
            image, annotation, keypoints = scene.render(frame)
            add(image)
            write_text(path, json.dumps(annotation))
            boxes = [human["box"] for human in annotation["humans"]]
            record.frames.append(FrameParse(frame + 1, boxes, keypoints=keypoints))  # type: ignore[arg-type]
        record.save(clip.keypoints)


def _check(
    counts: dict[str, int], *, actions: int, frames: int, size: tuple[int, int], seed: int, workers: int | None
) -> None:
    if not 1 <= actions <= len(ACTIONS):
        raise InputError(f"actions is {actions}: choose 1 to {len(ACTIONS)}, as many as can be drawn")
    if frames < 1:
        raise InputError(f"frames is {frames}: give at least 1")
    check_drawing(counts, of="action", size=size, seed=seed, workers=workers)


def _write_lists(out: Path, actions: tuple[Action, ...], clips: list[Clip]) -> None:
    folder = out / "list"
    folder.mkdir(exist_ok=True)
    objects = ["none", *dict.fromkeys(action.prop for action in actions if action.prop)]
    rows = {"body_part.txt": PARTS, "part_stat.txt": STATES, "object.txt": objects}
    for split in SPLITS:
        rows[f"video_{split}_flist.csv"] = [
            f"{clip.action.name}/{clip.name}.mp4,{clip.frames}" for clip in clips if clip.split == split
        ]
        for action in actions:
            (out / f"{split}_videos" / action.name).mkdir(parents=True, exist_ok=True)
    for name, lines in rows.items():
        write_text(folder / name, "".join(f"{line}\n" for line in lines))
