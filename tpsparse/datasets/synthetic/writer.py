"""Write the synthetic data set in the official Kinetics-TPS layout, video by video, in several processes.

Below the folder ``out``: ``{train,test}_videos/<action>/<video>.mp4``,
``{train,test}_annotations/<action>/<video>/img_%05d.json`` (frames from 1), ``keypoints/<video>.safetensors`` with the
boxes and keypoints of the annotated persons of every frame, ``list/*`` and ``synthetic.json``, which holds the
parameters.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from ...errors import InputError
from ...structures.parse import FrameParse, VideoParse
from ...workers import Crashed, cores, run_pooled
from ..layout import keypoints_file
from .actions import ACTIONS, Action
from .scene import FPS, plan_scene
from .states import PARTS, STATES

FORMAT = 2  # of the drawing: raise it whenever the same parameters give other files
SPLITS = ("train", "test")
_SMALLEST_SIDE = 48
_ENCODER = {
    "crf": "18",
    "preset": "veryfast",
    "threads": "1",
    "bf": "0",
    "g": str(FPS),
    # x264's macroblock tree rounds otherwise with each instruction set, and with AVX-512 not even always alike: of 200
    # encodings of the same pictures 3 differed, in some frames before a key frame. This is as fast, and all are equal.
    "x264-params": "cpu-independent=1",
}


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
        InputError: If a parameter cannot be used, or ``out`` holds something else or a set with other parameters.
    """
    out, size = Path(out), (int(size[0]), int(size[1]))
    counts = {"train": train, "test": test}
    _check(counts, actions=actions, frames=frames, size=size, seed=seed, workers=workers)
    parameters = {"actions": actions, **counts, "frames": frames, "size": list(size), "seed": seed, "format": FORMAT}
    _claim(out, parameters)
    chosen = ACTIONS[:actions]
    clips = [
        Clip(out, split, action, number, frames, size, seed)
        for split in SPLITS
        for action in chosen
        for number in range(counts[split])
    ]
    _write_lists(out, chosen, clips)
    missing = [clip for clip in clips if not clip.is_written()]
    done = len(clips) - len(missing)
    with tqdm(total=len(clips), initial=done, desc="synthetic", unit="video", disable=not progress) as bar:
        for _ in _each_written(missing, workers):
            bar.update()


def write_clip(clip: Clip) -> None:
    """Draw one video and write its annotations, then its keypoints, then its mp4."""
    _make_room(clip.video.parent, f".{clip.video.name}.*.partial")
    _make_room(clip.keypoints.parent, f".{clip.name}.*.partial*")
    _make_room(clip.annotations[0].parent, ".*.partial")
    scene = plan_scene(clip.generator(), clip.action, frames=clip.frames, size=clip.size)
    record = VideoParse(clip.name, size=clip.size, num_frames=clip.frames, fps=FPS)
    partial = _partial(clip.video)
    try:
        with av.open(str(partial), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("libx264", rate=FPS, options=_ENCODER)
            stream.height, stream.width = clip.size
            stream.pix_fmt = "yuv420p"
            stream.thread_count = 1
            for frame, path in enumerate(clip.annotations):
                image, annotation, keypoints = scene.render(frame)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                _write_text(path, json.dumps(annotation))
                boxes = [human["box"] for human in annotation["humans"]]
                record.frames.append(FrameParse(frame + 1, boxes, keypoints=keypoints))  # type: ignore[arg-type]
            container.mux(stream.encode())
        record.save(clip.keypoints)
        os.replace(partial, clip.video)
    finally:
        partial.unlink(missing_ok=True)


def _each_written(clips: list[Clip], workers: int | None) -> Iterator[Clip]:
    for clip, outcome in run_pooled(write_clip, clips, workers or cores()):
        if isinstance(outcome, Crashed):
            raise InputError(f"{clip.video} cannot be written: its process ended; see that memory is free and repeat")
        yield clip


def _check(
    counts: dict[str, int], *, actions: int, frames: int, size: tuple[int, int], seed: int, workers: int | None
) -> None:
    if not 1 <= actions <= len(ACTIONS):
        raise InputError(f"actions is {actions}: choose 1 to {len(ACTIONS)}, as many as can be drawn")
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"{name} is {count}: give the number of videos of each action, 0 or more")
    if frames < 1:
        raise InputError(f"frames is {frames}: give at least 1")
    if any(side % 2 for side in size):
        raise InputError(f"size is {size[0]}x{size[1]}: H.264 needs an even height and an even width")
    if min(size) < _SMALLEST_SIDE:
        raise InputError(f"size is {size[0]}x{size[1]}: give at least {_SMALLEST_SIDE} pixels a side")
    if seed < 0:
        raise InputError(f"seed is {seed}: give 0 or more")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}: give at least 1")


def _claim(out: Path, parameters: dict) -> None:
    """Keep the parameters in the folder, or refuse a folder that holds something else."""
    path = out / "synthetic.json"
    if not path.is_file():
        if out.exists() and (not out.is_dir() or any(not entry.name.endswith(".partial") for entry in out.iterdir())):
            raise InputError(f"{out} holds something else than a synthetic data set: choose an empty or a new folder")
        out.mkdir(parents=True, exist_ok=True)
        _write_text(path, json.dumps(parameters, indent=1) + "\n")
        return
    try:
        existing = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({error}): choose another folder or delete this one") from error
    if existing != parameters:
        known = existing if isinstance(existing, dict) else {}
        if known.get("format", FORMAT) != FORMAT:
            raise InputError(
                f"{path} is of a data set in format {known['format']}, and this version writes format {FORMAT}: "
                "choose another folder, or delete this one to write it anew"
            )
        differing = [f"{name} {known.get(name)}" for name in parameters if known.get(name) != parameters[name]]
        raise InputError(
            f"{path} has {', '.join(differing) or 'other parameters'}: repeat that or choose another folder"
        )


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
        _write_text(folder / name, "".join(f"{line}\n" for line in lines))


def _make_room(folder: Path, stale: str) -> None:
    """Make a folder, and clear it of what a killed process left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(stale):
        path.unlink(missing_ok=True)


def _write_text(path: Path, text: str) -> None:
    partial = _partial(path)
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")
