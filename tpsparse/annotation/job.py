"""All that is done with one video: its clips, the people in them, their labels, and the review.

Runs in a process of its own. Frames are numbered from 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.layout import annotations_folder, videos_folder
from ..datasets.video import Video
from ..errors import InputError
from ..poses.landmarks import Pose
from ..poses.views import tile_views
from ..structures.files import write_json
from ..taxonomy import Taxonomy
from .clips import clip_lengths, write_clips
from .labels import Person, annotation_files, label_clip, read_labels, usable_fps
from .review import write_review
from .rules import RuleTable
from .sources import Source
from .tracking import Track, link_tracks, load_tracks, save_tracks
from .writer import LANDMARKS, REVIEW_FOLDER, STAMPS, own_file, write_annotations

# Somebody who is lost for longer is likely somebody else when found again.
_MAX_GAP_SECONDS = 0.4
# New people are looked for in every third frame: in between, those known are followed.
_DETECT_EVERY = 3
_STAMP = {"num_frames", "num_persons", "pose", "labels"}


@dataclass(frozen=True)
class PoseOptions:
    """How people are looked for.

    Args:
        step: Every so many frames; in between their landmarks are interpolated.
        max_persons: At most so many a frame.
        tiles: As :func:`views.tile_views` takes it.
        min_seconds: Whoever is seen for less is dropped.
    """

    step: int = 1
    max_persons: int = 10
    tiles: str = "auto"
    min_seconds: float = 0.3


@dataclass(frozen=True)
class Job:
    """One video to be labelled.

    Args:
        path: Of the video as it was given.
        source: What it becomes.
        root: The data set.
        pose: How people are looked for.
        rules: Which state a part has.
        min_visibility: Parts that are seen less are left out.
        review: Whether a video with the labels drawn on is wanted.
        redo: Whether labels that are there are made again.
        taxonomy: The names that the labels use.
    """

    path: Path
    source: Source
    root: Path
    pose: PoseOptions
    rules: RuleTable
    min_visibility: float
    review: bool
    redo: bool
    taxonomy: Taxonomy

    def label_options(self) -> dict[str, Any]:
        """What the labels follow from besides the landmarks, as kept beside them."""
        rules = {group: [str(rule) for rule in rules] for group, rules in self.rules.rules.items()}
        return {"min_visibility": self.min_visibility, "rules": rules}


@dataclass(frozen=True)
class Progress:
    """A share of the video's work that has been done since the last."""

    share: float


@dataclass(frozen=True)
class Labelled:
    """A clip that is done.

    Args:
        name: Of the clip.
        split: ``train`` or ``test``.
        num_frames: Of the clip.
        num_persons: Tracks in it.
        kept: Whether it was there before and was left as it is.
        num_annotated: Frames that have a file.
        same_options: False where it was made with other options than this run's.
    """

    name: str
    split: str
    num_frames: int
    num_persons: int
    num_annotated: int
    kept: bool
    same_options: bool = True


Message = Progress | Labelled


def run_job(job: Job) -> Iterator[Message]:
    """Label one video; what is done already is not done again.

    Raises:
        InputError: If the video cannot be read.
    """
    video = Video(job.path)
    lengths = clip_lengths(video.num_frames, usable_fps(video.fps), job.source.clip_seconds)
    clips = _clips(job)
    write_clips(job.path, [clip.video for clip in clips], lengths)
    for clip, length in zip(clips, lengths):
        share = length / sum(lengths)
        kept = None if job.redo else _kept_clip(job, clip)
        if kept is None:
            yield from _label_clip(job, clip, share)
        else:
            yield Progress(share)
            yield kept
            if job.review and not _is_reviewed(clip):
                shown = Video(clip.video)
                _write_review(job, clip, shown, read_labels(clip.annotations, shown.num_frames))


def finished_clips(job: Job) -> list[Labelled]:
    """The clips of a video all of whose clips are done and stay; none where something is to be done."""
    clips = [] if job.redo else _clips(job)
    kept = [labelled for clip in clips if (labelled := _kept_clip(job, clip)) is not None]
    done = len(kept) == len(clips) and (not job.review or all(map(_is_reviewed, clips)))
    return kept if done else []


def look_at(num_frames: int, step: int) -> list[int]:
    """Numbers of the frames in which people are looked for: every ``step``-th, and the last."""
    return sorted({*range(1, num_frames + 1, step), num_frames}) if num_frames else []


@dataclass(frozen=True)
class _Clip:
    name: str
    split: str
    video: Path
    annotations: Path
    review: Path


def _clips(job: Job) -> list[_Clip]:
    root, action = job.root, job.source.action
    return [
        _Clip(
            name=name,
            split=split,
            video=videos_folder(root, split) / action / f"{name}.mp4",
            annotations=annotations_folder(root, split) / action / name,
            review=root / REVIEW_FOLDER / f"{name}.mp4",
        )
        for name, split in job.source.clips()
    ]


def _label_clip(job: Job, clip: _Clip, share: float) -> Iterator[Message]:
    video = Video(clip.video)
    tracks = _read_tracks(job, clip.name)
    if tracks is None:
        tracks = []
        for told in _find_tracks(job, video):
            if isinstance(told, list):
                tracks = told
            else:
                yield Progress(share * told)
        save_tracks(own_file(job.root, LANDMARKS, clip.name), tracks, _pose_text(job))
    else:
        yield Progress(share)
    frames = label_clip(
        tracks,
        job.rules,
        num_frames=video.num_frames,
        size=video.size,
        fps=video.fps,
        min_visibility=job.min_visibility,
    )
    stamp = own_file(job.root, STAMPS, clip.name)
    stamp.unlink(missing_ok=True)  # it is of the labels that are replaced now
    write_annotations(clip.annotations, frames)
    made = {"pose": asdict(job.pose), "labels": job.label_options()}
    write_json(stamp, {"num_frames": video.num_frames, "num_persons": len(tracks), **made})
    if job.review:
        _write_review(job, clip, video, frames)
    else:
        clip.review.unlink(missing_ok=True)  # it would show the labels before
    yield Labelled(clip.name, clip.split, len(frames), len(tracks), num_annotated=len(frames), kept=False)


def _write_review(job: Job, clip: _Clip, video: Video, frames: list[list[Person]]) -> None:
    write_review(clip.review, video, frames, job.taxonomy, action=job.source.action)


def _is_reviewed(clip: _Clip) -> bool:
    """Whether there is a review that is not older than any of the annotations."""
    if not clip.review.is_file():
        return False
    drawn = clip.review.stat().st_mtime_ns
    return all(path.stat().st_mtime_ns <= drawn for path in annotation_files(clip.annotations).values())


def _find_tracks(job: Job, video: Video) -> Iterator[float | list[Track]]:
    """Shares of the clip as they are done, then the tracks."""
    from ..poses.mediapipe import PoseEstimator

    options, fps = job.pose, usable_fps(video.fps)
    wanted = look_at(video.num_frames, options.step)
    found: dict[int, list[Pose]] = {}
    # What is looked at seldom has moved on, so there new people are looked for more often.
    detect_every = max(1, _DETECT_EVERY // options.step)
    views = tile_views(video.size, options.tiles)
    with PoseEstimator(views, max_persons=options.max_persons, detect_every=detect_every) as estimator:
        for number, image in _numbered(video, wanted):
            found[number] = estimator.find(image)
            yield 1 / len(wanted)
    # In a clip that is shorter than that itself, whoever is seen in a third of it stays.
    sights = min(round(options.min_seconds * fps / options.step), len(wanted) // 3)
    max_gap = max(round(_MAX_GAP_SECONDS * fps), 2 * options.step)
    yield link_tracks(found, max_gap=max_gap, min_seen=max(1, sights))


def _numbered(video: Video, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    chosen = set(wanted)
    return ((number, image) for number, image in video.decode() if number in chosen)


def _read_stamp(job: Job, name: str) -> dict[str, Any] | None:
    """What is kept of a clip that was labelled; None where it was not."""
    try:
        stamp = json.loads(own_file(job.root, STAMPS, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and stamp.keys() >= _STAMP else None


def _kept_clip(job: Job, clip: _Clip) -> Labelled | None:
    """A clip that is done; None where it is not, or its video or labels are gone."""
    stamp = _read_stamp(job, clip.name)
    if stamp is None or not clip.video.is_file() or not clip.annotations.is_dir():
        return None
    return Labelled(
        clip.name,
        clip.split,
        stamp["num_frames"],
        stamp["num_persons"],
        num_annotated=len(annotation_files(clip.annotations)),
        kept=True,
        same_options=stamp["pose"] == asdict(job.pose) and stamp["labels"] == job.label_options(),
    )


def _read_tracks(job: Job, name: str) -> list[Track] | None:
    """The landmarks of a clip, where they were found with the same options."""
    try:
        tracks, options = load_tracks(own_file(job.root, LANDMARKS, name))
    except InputError:
        return None
    return tracks if options == _pose_text(job) else None


def _pose_text(job: Job) -> str:
    return json.dumps(asdict(job.pose), sort_keys=True)
