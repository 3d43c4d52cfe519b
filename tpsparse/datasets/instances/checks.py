"""What is checked of an annotated instance, and on what grounds.

An **error** costs the instance that it names: it is not used. A **warning** is told, and the instance is used as
annotated. Shapes: B inner boundaries of T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..index.checks import ERROR, WARNING, Kind
from ..problems import Problem
from .names import FORM

KINDS: dict[str, Kind] = {
    "unreadable-file": Kind(ERROR, "file", "restore the file"),
    "unreadable-name": Kind(ERROR, "instance", f"name it {FORM}"),
    "unreadable-entry": Kind(ERROR, "instance", "give it subset, total_frames and substages"),
    "unusable-video-name": Kind(ERROR, "instances of video", "give the source video a name that a file can have"),
    "same-instance": Kind(ERROR, "instance", "keep it in one file; the first is used"),
    "end-before-start": Kind(ERROR, "instance", "correct the times in its name"),
    "no-frames": Kind(ERROR, "instance", "correct total_frames or remove the instance"),
    "bad-ends": Kind(ERROR, "instance", "let substages begin with 0 and end with total_frames"),
    "beyond-end": Kind(ERROR, "instance", "correct substages or total_frames"),
    "duplicate-boundary": Kind(ERROR, "instance", "keep one of each in substages"),
    "out-of-order": Kind(ERROR, "instance", "put substages in rising order"),
    "unreadable-video": Kind(ERROR, "video", "remove it and cut or fetch it again"),
    "other-length": Kind(ERROR, "video", "remove it and cut it again"),
    "no-video": Kind(ERROR, "video", "put the source video into videos/ or the cut instance into instances/"),
    "missing-video": Kind(WARNING, "video", "put the source video into videos/ or the cut instance into instances/"),
    "not-cut": Kind(WARNING, "video", "run tools/prepare_data.py tapos cut"),
    "two-subsets": Kind(WARNING, "video", "keep all instances of a source video in one subset"),
    "odd-fps": Kind(WARNING, "instance", "see that total_frames and the times in the name belong together"),
    "one-frame": Kind(WARNING, "instance", "see that total_frames is right; there is nothing to parse in it"),
    "no-boundary": Kind(WARNING, "instance", "annotate its sub-actions, or leave it if it has one only"),
    "no-label": Kind(WARNING, "instance", "label it as the others are"),
    "bad-shot": Kind(WARNING, "instance", "give shot_timestamps as [start, end] in seconds, or null"),
}

SLOWEST, FASTEST = 5.0, 125.0
"""Frames a second that are told as odd beyond these: TAPOS's val set has 14 to 60."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: One of :data:`KINDS`.
        subset: Of the instance; empty where it is not known or all are concerned.
        video: The source video's id; empty where the whole file is concerned.
        instance: The instance's name; empty where the whole source video is concerned.
        file: The annotation, or the video.
        message: What is wrong, after the instance's key.
    """

    kind: str
    subset: str
    video: str
    instance: str
    file: Path
    message: str

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return KINDS[self.kind].severity

    @property
    def key(self) -> str:
        """The instance, the source video, or nothing."""
        return f"{self.video}/{self.instance}" if self.instance else self.video

    def problem(self) -> Problem:
        """As runs tell it: with the instance and the remedy in one line."""
        told = " ".join(filter(None, [self.key, self.message]))
        return Problem(KINDS[self.kind].item, self.file, f"{told}: {KINDS[self.kind].remedy}")


Told = tuple[str, str]
"""A kind, and what is wrong."""


def substage_faults(substages: Sequence[int], total_frames: int) -> list[Told]:
    """What makes sub-actions unusable.

    Args:
        substages: First frame of each sub-action, counted from 0, and the number of frames at the end.
        total_frames: T.
    """
    if total_frames < 1:
        return [("no-frames", f"has {total_frames} frames")]
    faults = []
    if len(substages) < 2 or substages[0] != 0 or substages[-1] != total_frames:
        ends = f"from {substages[0]} to {substages[-1]}" if substages else "of nothing"
        faults.append(("bad-ends", f"has substages {ends}, not from 0 to {total_frames}"))
    beyond = [place for place in substages[1:-1] if place > total_frames]
    if beyond:
        faults.append(("beyond-end", f"has a boundary at {beyond[0]} of {total_frames} frames"))
    inside = [place for place in substages if place <= total_frames]
    pairs = list(zip(inside, inside[1:]))
    same = next((first for first, second in pairs if first == second), None)
    if same is not None:
        faults.append(("duplicate-boundary", f"has {same} twice in substages"))
    falling = next((pair for pair in pairs if pair[0] > pair[1]), None)
    if falling is not None:
        faults.append(("out-of-order", f"has {falling[1]} after {falling[0]} in substages"))
    return faults


def instance_warnings(num_frames: int, num_boundaries: int, fps: float | None) -> list[Told]:
    """What is odd about an instance that can be used."""
    warnings = []
    if num_frames == 1:
        warnings.append(("one-frame", "has one frame"))
    elif num_boundaries == 0:
        warnings.append(("no-boundary", "has no boundary within it"))
    if fps is not None and not SLOWEST <= fps <= FASTEST:
        warnings.append(("odd-fps", f"has {fps:.4g} frames a second"))
    return warnings
