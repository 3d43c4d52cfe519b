"""Cutting action instances out of their source videos, each with exactly the annotated number of frames.

    ROOT/instances/<youtube_id>/<instance name>.mp4

An instance of T frames from ``start`` to ``end`` seconds of the source gets, for each of the times ``start + i *
(end - start) / T``, the frame that is shown nearest to it: the times in names are rounded to milliseconds, so that the
last frame *before* each time would now and then be its neighbour. Seconds count from the source's first frame.

A file appears under its name when it is whole, and says in its own metadata how it was cut; one that says nothing was
put there by somebody else and is left alone. Shapes: T frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from tqdm import tqdm

from ...errors import InputError
from ...structures.files import atomic_write, remove_partials
from ...structures.folder_lock import folder_lock
from ...workers import Crashed, cores, run_pooled
from ..decoding import Decoder, Timeline, VideoFacts, scan_video
from ..extraction import reduced_size
from ..problems import ProblemLog
from .annotation import Instance, read_annotations
from .layout import instance_file, instances_folder, source_video, videos_folder

SHORT_SIDE = 256
_LARGEST_DENOMINATOR = 1001  # 29.97 frames a second is 30000/1001
_ENCODER = {"crf": "18", "preset": "veryfast", "threads": "1", "bf": "0", "g": "12"}
"""Key frames are near each other: samplers ask for single frames."""


@dataclass(frozen=True)
class Cut:
    """One instance to cut, and what its file says of it.

    Attributes:
        start: Seconds of the source video.
        end: Seconds, exclusive.
        num_frames: T.
        short_side: Pixels of the short side at most.
        source_bytes: Size of the source video's file.
    """

    start: float
    end: float
    num_frames: int
    short_side: int
    source_bytes: int

    @property
    def rate(self) -> Fraction:
        """Frames a second, within what a file can say."""
        rate = min(max(self.num_frames / (self.end - self.start), 1 / _LARGEST_DENOMINATOR), 1000.0)
        return Fraction(rate).limit_denominator(_LARGEST_DENOMINATOR)


@dataclass(frozen=True)
class Job:
    """What is cut from one source video, by file."""

    source: Path
    cuts: dict[Path, Cut]


@dataclass
class CutResult:
    """How many instances were cut, how many had been there, and what could not be cut."""

    written: int = 0
    known: int = 0
    problems: ProblemLog = field(default_factory=ProblemLog)


def cut_instances(
    root: Path,
    *,
    subset: str | None = None,
    short_side: int = SHORT_SIDE,
    shots_at_zero: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> CutResult:
    """Cut every instance that is not there yet.

    One whose annotation or source video has changed since it was cut is cut again.

    Args:
        root: A data set in TAPOS's format, with ``videos/``.
        subset: Of which; None for all of it.
        short_side: Pixels of the short side; smaller frames are not enlarged.
        shots_at_zero: Where shot times are not known, take the source video for the shot.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Raises:
        InputError: If there are no annotations, no instance of the subset, or no ``videos/``; if instances are there
            that were cut at another size; if another run is cutting, or the disk is full.
    """
    root = Path(root)
    annotations = read_annotations(root)
    instances = [instance for instance in annotations.instances if subset in (None, instance.subset)]
    if not instances:
        raise InputError(f"{root} has no usable instance{f' of subset {subset}' if subset else ''}: see tapos check")
    if not videos_folder(root).is_dir():
        raise InputError(f"{videos_folder(root)} is missing: put the source videos there as <youtube_id>.mp4")
    result = CutResult()
    with folder_lock(instances_folder(root), remedy="end it"):
        jobs = _jobs(root, instances, result, short_side=short_side, shots_at_zero=shots_at_zero)
        total = sum(len(job.cuts) for job in jobs)
        with tqdm(
            total=result.known + total, initial=result.known, desc="cut", unit="instance", disable=not progress
        ) as bar:
            for job, failed in run_pooled(cut_from_video, jobs, workers or cores()):
                _note(job, failed, result)
                bar.update(len(job.cuts))
    return result


def frame_numbers(times: np.ndarray, cut: Cut) -> np.ndarray:
    """(T,) numbers, from 1, of the frames of a source video that an instance consists of.

    Args:
        times: When each frame of the source is shown, rising, in seconds from the first.
        cut: The instance.

    Raises:
        InputError: If the source ends before the instance; without the file's name.
    """
    wanted = cut.start + (cut.end - cut.start) * np.arange(cut.num_frames) / cut.num_frames
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if wanted[-1] > times[-1] + step:
        ends = f"ends at {times[-1] + step:.3f} s, the instance at {cut.end:.3f} s"
        raise InputError(f"{ends}: replace the file or correct shot_timestamps")
    return np.searchsorted((times[1:] + times[:-1]) / 2, wanted) + 1


def cut_from_video(job: Job) -> dict[Path, str]:
    """Cut instances from one source video; those that cannot be cut, with the reason.

    Raises:
        InputError: If a file cannot be written.
    """
    try:
        facts, timeline = scan_video(job.source)
        times = _seconds(job.source, facts, timeline)
    except InputError as error:
        return dict.fromkeys(job.cuts, str(error).removeprefix(f"{job.source} "))
    failed = {}
    for path, cut in job.cuts.items():
        try:
            numbers = frame_numbers(times, cut)
            _write(path, _frames(job.source, facts, timeline, numbers), cut)
        except OSError as error:  # a full disk is both, and no fault of the instance
            told = f"{path} cannot be written ({error.strerror or error})"
            raise InputError(f"{told}: make room there, then repeat; what is whole is kept") from error
        except InputError as error:
            failed[path] = str(error).removeprefix(f"{job.source} ")
    return failed


def _seconds(source: Path, facts: VideoFacts, timeline: Timeline | None) -> np.ndarray:
    """When each frame is shown, in seconds from the first.

    Raises:
        InputError: If the file does not say.
    """
    if timeline is not None:
        with av.open(str(source.absolute())) as container:
            base = container.streams.video[0].time_base
        if base:
            return (np.asarray(timeline.times) - timeline.times[0]) * float(base)
    if facts.fps <= 0:
        raise InputError(f"{source} does not say when its frames are shown: convert it to mp4")
    return np.arange(facts.num_frames) / facts.fps


def _frames(
    source: Path, facts: VideoFacts, timeline: Timeline | None, numbers: Sequence[int] | np.ndarray
) -> Iterator[np.ndarray]:
    """The frames with these numbers, from the key frame before the first on.

    Raises:
        InputError: If decoding ends before the last.
    """
    with Decoder(source, timeline) as decoder:
        for number in map(int, numbers):
            frame = decoder.frame(number)
            if frame is None:
                reached = f"can be decoded to frame {decoder.number} only, not to {int(numbers[-1])}"
                raise InputError(f"{source} {reached}: replace or remove it")
            yield decoder.to_rgb(frame, facts.size)


def _write(path: Path, frames: Iterable[np.ndarray], cut: Cut) -> None:
    """Encode an instance.

    Raises:
        InputError: If its frames cannot be decoded.
        OSError: If the file cannot be written.
    """
    with atomic_write(path) as partial, av.open(partial, "w", format="mp4") as file:
        file.metadata["comment"] = json.dumps(asdict(cut))
        stream = None
        for frame in frames:
            height, width = (max(side - side % 2, 2) for side in reduced_size(_size(frame), cut.short_side))
            if _size(frame) != (height, width):  # H.264 wants even sides
                frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
            if stream is None:
                stream = file.add_stream("libx264", rate=cut.rate, options=_ENCODER)
                stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        if stream is not None:
            file.mux(stream.encode(None))


def _size(frame: np.ndarray) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]


def _jobs(
    root: Path, instances: Iterable[Instance], result: CutResult, *, short_side: int, shots_at_zero: bool
) -> list[Job]:
    """What is still to be cut, by source video; the result gets what is there and what cannot be cut.

    Raises:
        InputError: If an instance was cut at another size.
    """
    jobs: dict[str, Job] = {}
    for video, own in groupby(instances, key=lambda instance: instance.youtube_id):
        source = source_video(root, video)
        source_bytes = source.stat().st_size if source else 0
        remove_partials(instances_folder(root) / video)
        for instance in own:
            path = instance_file(root, instance.key)
            made = _made(path)
            if made == {}:
                result.known += 1
            elif source is None:
                wanted = videos_folder(root) / f"{video}.mp4"
                result.problems.add("instance", wanted, f"is missing, so {instance.name} is not cut: put it there")
            elif instance.shot is None and not shots_at_zero:
                told = f"has no shot times for {instance.name}: annotate shot_timestamps, or say --shots-at-zero"
                result.problems.add("instance", source, told)
            elif made == asdict(cut := _cut_of(instance, short_side, source_bytes)):
                result.known += 1
            else:
                _refuse_other_size(root, path, made, short_side)
                jobs.setdefault(video, Job(source, {})).cuts[path] = cut
    return list(jobs.values())


def _cut_of(instance: Instance, short_side: int, source_bytes: int) -> Cut:
    shot = 0.0 if instance.shot is None else instance.shot[0]
    start, end = shot + instance.place.start, shot + instance.place.end
    return Cut(start, end, instance.num_frames, short_side, source_bytes)


def _refuse_other_size(root: Path, path: Path, made: dict[str, Any] | None, short_side: int) -> None:
    if made is not None and made.get("short_side") != short_side:
        repeat = f"repeat with --short-side {made.get('short_side')}"
        raise InputError(f"{path} was cut at another size: remove {instances_folder(root)} or {repeat}")


def _made(path: Path) -> dict[str, Any] | None:
    """How a file says that it was cut; nothing where it does not say; None where there is none that can be read."""
    if not path.is_file():
        return None
    try:
        with av.open(str(path.absolute())) as file:
            comment = file.metadata.get("comment", "")
    except av.FFmpegError:
        return None
    try:
        made = json.loads(comment)
    except ValueError:
        return {}
    return made if isinstance(made, dict) and "short_side" in made else {}


def _note(job: Job, failed: dict[Path, str] | Crashed, result: CutResult) -> None:
    """Count what came of a source video."""
    if isinstance(failed, Crashed):
        told = "ends the process that reads it: replace or remove it"
        failed = {path: told for path, cut in job.cuts.items() if _made(path) != asdict(cut)}
    for path, told in failed.items():
        result.problems.add("instance", job.source, f"has {path.stem}, which is not cut: the file {told}")
    result.written += len(job.cuts) - len(failed)
