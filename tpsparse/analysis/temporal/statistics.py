"""Numbers of a data set of action instances.

Shapes: n instances, S sub-actions and B inner boundaries of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.instances import Instance


@dataclass(frozen=True)
class Group:
    """Counts and means over some instances: a subset, an action, or all.

    Attributes:
        sub_actions: Mean number an instance.
        seconds: Mean duration of an instance.
        frames: Mean length of an instance.
    """

    name: str
    instances: int
    videos: int
    boundaries: int
    sub_actions: float
    seconds: float
    frames: float

    @classmethod
    def of(cls, name: str, instances: Sequence[Instance]) -> Group:
        """The means are 0 where there is no instance."""
        count = max(len(instances), 1)
        boundaries = sum(len(instance.boundaries) for instance in instances)
        return cls(
            name=name,
            instances=len(instances),
            videos=len({instance.youtube_id for instance in instances}),
            boundaries=boundaries,
            sub_actions=(boundaries + len(instances)) / count,
            seconds=sum(instance.place.duration for instance in instances) / count,
            frames=sum(instance.num_frames for instance in instances) / count,
        )


@dataclass(frozen=True)
class InstanceStatistics:
    """What is charted.

    Attributes:
        total: Of all instances.
        subsets: Of each subset, by name.
        actions: Of each action, those with the most sub-actions first; none where there are no labels.
        sub_actions: (n,) number in each instance.
        seconds: (n,) duration of each instance, as its name says.
        frames: (n,) length of each instance.
        fps: (n,) frames a second.
        positions: (B,) where each boundary lies in its instance, above 0 and below 1.
        lengths: (S,) seconds of each sub-action.
        shares: (S,) of its instance that each sub-action takes.
    """

    total: Group
    subsets: list[Group]
    actions: list[Group]
    sub_actions: np.ndarray
    seconds: np.ndarray
    frames: np.ndarray
    fps: np.ndarray
    positions: np.ndarray
    lengths: np.ndarray
    shares: np.ndarray


def instance_statistics(instances: Sequence[Instance]) -> InstanceStatistics:
    """Count what these instances hold; there may be none."""
    frames = np.array([instance.num_frames for instance in instances], dtype=np.int64)
    fps = np.array([instance.fps for instance in instances], dtype=np.float64)
    steps = [np.diff(instance.substages) for instance in instances]
    sub_actions = np.array([len(step) for step in steps], dtype=np.int64)
    lengths = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64)
    inner = [instance.boundaries / instance.num_frames for instance in instances]
    return InstanceStatistics(
        total=Group.of("all", instances),
        subsets=[Group.of(*given) for given in _grouped(instances, "subset")],
        actions=sorted(
            (Group.of(*given) for given in _grouped(instances, "action")), key=lambda group: -group.sub_actions
        ),
        sub_actions=sub_actions,
        seconds=np.array([instance.place.duration for instance in instances], dtype=np.float64),
        frames=frames,
        fps=fps,
        positions=np.concatenate(inner) if inner else np.zeros(0),
        lengths=lengths / np.repeat(fps, sub_actions),
        shares=lengths / np.repeat(frames, sub_actions),
    )


def _grouped(instances: Sequence[Instance], attribute: str) -> list[tuple[str, list[Instance]]]:
    """Instances by an attribute, sorted by it; those without are left out."""
    groups: dict[str, list[Instance]] = {}
    for instance in instances:
        value = getattr(instance, attribute)
        if value is not None:
            groups.setdefault(value, []).append(instance)
    return sorted(groups.items())
