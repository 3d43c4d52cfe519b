"""Write synthetic sports in TAPOS's layout, instance by instance, in several processes.

Below the folder ``out``: ``tapos_annotation.json``, ``instances/<youtube_id>/<instance name>.mp4`` and
``synthetic.json``, which holds the parameters. Besides TAPOS's own keys an entry of the annotation has ``action``, the
sport, and ``sub_actions``, the names of its sub-actions, which readers ignore. There are no source videos: a
``youtube_id`` stands for two shots of a sport, an instance in each, and is in one subset alone.

Instances of one number have the same person in the same place in every sport: a network that knows the looks of a
training instance by heart has learnt nothing of its sport.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...structures.files import write_json
from ...structures.folder_lock import folder_lock
from ..instances.layout import instance_file
from .files import FPS, check_drawing, claim, video_writer, write_missing
from .sports import SPORTS, Routine, plan_routine
from .sports_scene import plan_instance

FORMAT = 1  # of the drawing: raise it whenever the same parameters give other files
SUBSETS = ("train", "val")
ANNOTATION_FILE = "tapos_annotation.json"
_SHOTS = 2  # of a source video
_SHOT_SECONDS = 60
_LEAD_SECONDS = 1  # of a shot, before its instance


@dataclass(frozen=True)
class SportClip:
    """One instance to write; all its randomness follows from ``seed``, subset, sport and number."""

    out: Path
    subset: str
    sport: str
    number: int
    size: tuple[int, int]
    seed: int

    @property
    def youtube_id(self) -> str:
        """Name of the source video that it stands for."""
        return f"{self.sport}_{self.subset}_{self.number // _SHOTS:03d}"

    @property
    def name(self) -> str:
        """As TAPOS names instances: shot, start and end in it."""
        milliseconds = round((_LEAD_SECONDS + self.routine().num_frames / FPS) * 1000)
        end = f"{milliseconds // 1000}_{milliseconds % 1000:03d}"
        return f"s{self.number % _SHOTS + 1:05d}_{_LEAD_SECONDS}_000_{end}"

    @property
    def video(self) -> Path:
        """Path of the mp4."""
        return instance_file(self.out, f"{self.youtube_id}/{self.name}")

    def is_written(self) -> bool:
        """Whether the video is there."""
        return self.video.is_file()

    def looks(self) -> np.random.Generator:
        """The random numbers of who performs and where, which are those of the other sports too."""
        return np.random.default_rng(np.random.SeedSequence(self._key))

    def routine(self) -> Routine:
        """Its sub-actions in time."""
        key = (*self._key, zlib.crc32(self.sport.encode()))
        return plan_routine(np.random.default_rng(np.random.SeedSequence(key)), self.sport)

    @property
    def _key(self) -> tuple[int, int, int]:
        return self.seed, SUBSETS.index(self.subset), self.number

    def entry(self) -> dict[str, Any]:
        """Its annotation."""
        routine, shot = self.routine(), self.number % _SHOTS * _SHOT_SECONDS
        return dict(
            subset=self.subset,
            shot_timestamps=[float(shot), float(shot + _SHOT_SECONDS)],
            total_frames=routine.num_frames,
            substages=list(routine.substages),
            action=self.sport,
            sub_actions=list(routine.names),
        )


def write_sports(
    out: Path,
    *,
    sports: int = 8,
    train: int = 24,
    val: int = 8,
    size: tuple[int, int] = (72, 96),
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> None:
    """Write a data set of drawn sports, or what is still missing of it.

    The files depend on the parameters alone, not on ``workers``. An instance whose video is there is not made again.

    Args:
        out: Folder of the data set, made if need be.
        sports: Number of sports.
        train: Training instances of each sport.
        val: Validation instances of each sport.
        size: (height, width) in pixels, both even.
        seed: Seed of everything random.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Raises:
        InputError: If a parameter cannot be used, ``out`` holds something else or a set with other parameters, or
            another run is writing it.
    """
    out, size = Path(out), (int(size[0]), int(size[1]))
    counts = {"train": train, "val": val}
    if not 1 <= sports <= len(SPORTS):
        raise InputError(f"sports is {sports}: choose 1 to {len(SPORTS)}, as many as can be drawn")
    check_drawing(counts, of="sport", size=size, seed=seed, workers=workers)
    claim(out, {"sports": sports, **counts, "size": list(size), "seed": seed, "format": FORMAT})
    clips = [
        SportClip(out, subset, sport, number, size, seed)
        for subset in SUBSETS
        for sport in list(SPORTS)[:sports]
        for number in range(counts[subset])
    ]
    with folder_lock(out, remedy="give another --out"):
        _write_annotation(out, clips)
        write_missing(write_instance, clips, workers=workers, progress=progress, unit="instance")


def write_instance(clip: SportClip) -> None:
    """Draw one instance and write its mp4."""
    scene = plan_instance(clip.looks(), clip.routine(), size=clip.size)
    with video_writer(clip.video, clip.size) as add:
        for frame in range(scene.routine.num_frames):
            add(scene.render(frame))


def _write_annotation(out: Path, clips: list[SportClip]) -> None:
    annotation: dict[str, dict[str, Any]] = {}
    for clip in clips:
        annotation.setdefault(clip.youtube_id, {})[clip.name] = clip.entry()
    write_json(out / ANNOTATION_FILE, annotation)
