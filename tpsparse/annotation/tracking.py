"""From the people of single frames to persons who keep their number through a clip.

Shapes: N frames of a track, L landmarks. Frames are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import InputError
from ..poses.landmarks import Pose, height_in_pixels
from ..poses.views import box_distance, pose_distance
from ..structures.files import atomic_write

# In body heights. A sprinter covers a fifth of the body height between two frames at 30 frames a second; a person who
# was out of sight may have gone further.
_REACH, _REACH_PER_FRAME = 0.25, 0.05
# How much less sides of boxes say than landmarks, which may come out upside down or swap left and right.
_BOX_PENALTY = 1.5
# Of doubles: the least share of the shorter track's time, the largest share of its sights together with the other's,
# and the largest distance in body heights.
_SHARED_TIME, _SEEN_TOGETHER, _SAME_PLACE = 0.5, 0.3, 0.15
_FIELDS = ("frames", "points", "world", "visibility", "scores", "seen")
_OPTIONS = "options"


@dataclass(frozen=True)
class Track:
    """One person from the first to the last frame in which the person was seen, without holes.

    Args:
        number: From 1, the person's in all frames.
        frames: (N,) consecutive frame numbers.
        points: (N, L, 3) image landmarks in pixels.
        world: (N, L, 3) world landmarks in metres.
        visibility: (N, L) in [0, 1].
        scores: (N,) of the person.
        seen: (N,) False where the person was put between the frames before and after.
    """

    number: int
    frames: np.ndarray
    points: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    scores: np.ndarray
    seen: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)


def link_tracks(found: Mapping[int, Sequence[Pose]], *, max_gap: int = 10, min_seen: int = 1) -> list[Track]:
    """Follow people through the frames that were looked at.

    From frame to frame poses and tracks are paired so that the sum of their distances is least (Kuhn, "The Hungarian
    method for the assignment problem", 1955). In frames between two sights of a person the landmarks are interpolated.

    Args:
        found: Frame number to the people in it, for every frame looked at.
        max_gap: A track ends after more than so many frames without a sight of the person.
        min_seen: Tracks with fewer sights are dropped, as are those with sights in less than half of the frames.

    Returns:
        Tracks numbered from 1 by their first frame, then from left to right.
    """
    ended: list[dict[int, Pose]] = []
    active: list[dict[int, Pose]] = []
    for frame in sorted(found):
        lost = [sights for sights in active if frame - max(sights) - 1 > max_gap]
        ended += lost
        active = [sights for sights in active if not any(sights is other for other in lost)]
        poses = list(found[frame])
        pairs = _pair(active, poses, frame)
        for track, pose in pairs.items():
            active[track][frame] = poses[pose]
        active += [{frame: pose} for i, pose in enumerate(poses) if i not in pairs.values()]
    looked_at = np.array(sorted(found))
    kept = [sights for sights in _join_doubles([*ended, *active]) if _is_steady(sights, looked_at, min_seen)]
    kept.sort(key=lambda sights: (min(sights), float(sights[min(sights)].points[:, 0].mean())))
    return [_fill(number, sights) for number, sights in enumerate(kept, start=1)]


def save_tracks(path: Path, tracks: Sequence[Track], options: str = "") -> None:
    """Write tracks as one compressed NumPy file, in one move, with the options that they were found with."""
    arrays = {f"{track.number}/{name}": getattr(track, name) for track in tracks for name in _FIELDS}
    arrays[_OPTIONS] = np.array(options)
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_tracks(path: Path) -> tuple[list[Track], str]:
    """Read back what :func:`save_tracks` wrote: the tracks and the options.

    Raises:
        InputError: If the file is missing or broken.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            numbers = sorted({int(name.partition("/")[0]) for name in file.files if name != _OPTIONS})
            tracks = [Track(number, *(file[f"{number}/{name}"] for name in _FIELDS)) for number in numbers]
            return tracks, str(file[_OPTIONS])
    except Exception as error:  # a broken zip file raises errors of many kinds
        raise InputError(f"{path} cannot be read ({error}): remove it and run the same command again") from error


def _pair(active: Sequence[Mapping[int, Pose]], poses: Sequence[Pose], frame: int) -> dict[int, int]:
    """Position of a track to that of the pose that continues it."""
    if not active or not poses:
        return {}
    cost = np.empty((len(active), len(poses)))
    for i, sights in enumerate(active):
        last = max(sights)
        reach = _REACH + _REACH_PER_FRAME * (frame - last - 1)
        for j, pose in enumerate(poses):
            cost[i, j] = _distance(sights[last], pose) / reach
    # What is out of reach costs so much that no pairing takes it to spare others, and is taken apart again.
    rows, columns = linear_sum_assignment(np.where(cost <= 1, cost, 1e3))
    return {int(i): int(j) for i, j in zip(rows, columns) if cost[i, j] <= 1}


def _is_steady(sights: Mapping[int, Pose], looked_at: np.ndarray, min_seen: int) -> bool:
    span = int(((looked_at >= min(sights)) & (looked_at <= max(sights))).sum())
    return len(sights) >= max(min_seen, span / 2)


def _join_doubles(tracks: list[dict[int, Pose]]) -> list[dict[int, Pose]]:
    """Make one of two tracks that take turns at one person, which happens after a frame that had the person twice."""
    joined: list[dict[int, Pose]] = []
    for sights in sorted(tracks, key=len, reverse=True):
        same = next((other for other in joined if _takes_turns(other, sights)), None)
        if same is None:
            joined.append(sights)
            continue
        for frame, pose in sights.items():
            if frame not in same or same[frame].score < pose.score:
                same[frame] = pose
    return joined


def _takes_turns(sights: Mapping[int, Pose], other: Mapping[int, Pose]) -> bool:
    """Whether two tracks are at the same place for most of the shorter one's time, and seldom seen together.

    Two who embrace are near each other too, but are seen in the same frames.
    """
    if max(min(sights), min(other)) > min(max(sights), max(other)):
        return False
    first, second = _fill(0, sights), _fill(0, other)
    _, i, j = np.intersect1d(first.frames, second.frames, return_indices=True)
    if len(i) < _SHARED_TIME * min(len(first), len(second)):
        return False
    apart = np.linalg.norm(first.points[i, :, :2] - second.points[j, :, :2], axis=2)
    height = np.fmax(*(height_in_pixels(t.points[k], t.world[k]) for t, k in ((first, i), (second, j))))
    together = (first.seen[i] & second.seen[j]).sum() / max((first.seen[i] | second.seen[j]).sum(), 1)
    return bool(together <= _SEEN_TOGETHER and (np.median(apart, axis=1) / height).mean() <= _SAME_PLACE)


def _distance(pose: Pose, other: Pose) -> float:
    return min(pose_distance(pose, other), _BOX_PENALTY * box_distance(pose, other))


def _fill(number: int, sights: Mapping[int, Pose]) -> Track:
    """Sights as arrays over all frames from first to last; between two, linear and as visible as the less visible."""
    known = np.array(sorted(sights))
    frames = np.arange(known[0], known[-1] + 1)
    after = np.searchsorted(known, frames)
    before = np.where(known[after] == frames, after, after - 1)
    span = np.maximum(known[after] - known[before], 1)
    weight = (frames - known[before]) / span

    def between(values: np.ndarray) -> np.ndarray:
        share = weight.reshape(-1, *[1] * (values.ndim - 1))
        return (values[before] * (1 - share) + values[after] * share).astype(np.float32)

    poses = [sights[frame] for frame in known]
    visibility = np.stack([pose.visibility for pose in poses])
    return Track(
        number=number,
        frames=frames,
        points=between(np.stack([pose.points for pose in poses])),
        world=between(np.stack([pose.world for pose in poses])),
        visibility=np.minimum(visibility[before], visibility[after]),
        scores=between(np.array([pose.score for pose in poses])),
        seen=np.isin(frames, known),
    )
