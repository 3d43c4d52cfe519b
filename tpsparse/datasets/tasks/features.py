"""What a parsing run has saved, as the fusion learns from it. Shapes: P persons in a frame, D feature channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS
from ...structures import FrameParse, VideoParse
from ..base import TPSDataset
from ..frame_samplers import even_positions
from ..kept import Kept

STATE_FEATURE = "part_states"
"""What the scores of part states are called as a feature of persons: (P, K * S)."""


@DATASETS.register_module()
class TPSFeatureDataset(TPSDataset):
    """Features that a parsing run has saved, one file a video; the first ones that are read are kept.

    Args:
        parses: Folder of saved parses of this split.
        num_frames: Frames taken of each video.
        max_persons: Persons taken of each frame, the highest scores first.
        random: Whether frames are drawn at random, as in training, or spaced evenly.
    """

    def __init__(
        self, *, parses: str, num_frames: int = 32, max_persons: int = 10, random: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.random = random
        self.files = {path.stem: path for path in sorted(Path(parses).glob("*.safetensors"))}
        self.num_frames, self.max_persons = num_frames, max_persons
        self._kept: Kept[dict[str, Any]] = Kept()
        self.videos = [i for i, entry in enumerate(self.index.videos) if entry.name in self.files]
        if not self.videos:
            raise InputError(f"{parses} has no saved parse of a {self.index.split} video: run tools/reproduce.py")

    def __len__(self) -> int:
        return len(self.videos)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return np.array(self.videos)

    def first_record(self) -> tuple[Path, dict[str, tuple[int, int]]] | None:
        """The first usable record with a person in it: its file, and the axes and channels of its features by name.

        A frame without persons need not have their features, so a record of such frames says nothing of them.
        """
        for video in self.videos:
            path = self.files[self.index.videos[video].name]
            try:
                parse = VideoParse.load(path)
            except InputError:
                continue  # told as a problem of its own when its turn comes
            inhabited = [frame for frame in parse.frames if len(frame)]
            if not parse.error and inhabited:
                sample = feature_sample(replace(parse, frames=inhabited[:1]), 1, 1)
                of_frames, [of_persons], of_video = (
                    sample[f"{kind}_features"] for kind in ("frame", "person", "video")
                )
                axes = {3: of_persons, 2: of_frames, 1: of_video}
                return path, {name: (n, array.shape[-1]) for n, own in axes.items() for name, array in own.items()}
        return None

    def sample(self, index: int) -> dict[str, Any]:
        """Every feature of a video by name, with the action; what a network uses of them is its config's choice."""
        entry = self.index.videos[self.videos[index]]
        kept = self._kept.get(entry.name)
        sample = self._read(entry.name) if kept is None else self._chosen(kept)
        return dict(sample, video=entry.name, action=entry.action)

    def _read(self, name: str) -> dict[str, Any]:
        parse = VideoParse.load(self.files[name])
        if parse.error or not parse.frames:
            raise InputError(f"{self.files[name]} holds no parsed frame ({parse.error}): parse the video again")
        size = sum(map(_num_bytes, parse.frames)) + sum(array.nbytes for array in parse.features.values())
        if not self._kept.has_room(size):  # then the features of the other frames are of no use
            return feature_sample(parse, self.num_frames, self.max_persons, random=self.random)
        whole = feature_sample(parse, len(parse.frames), self.max_persons)
        self._kept.keep(name, whole, size)
        return self._chosen(whole)

    def _chosen(self, whole: dict[str, Any]) -> dict[str, Any]:
        """What :func:`feature_sample` gives, of the features of all frames."""
        persons = whole["person_features"]
        rows = pick_frames(len(persons), self.num_frames, random=self.random)
        return dict(
            frame_features={name: array[rows] for name, array in whole["frame_features"].items()},
            person_features=[persons[row] for row in rows],
            video_features=dict(whole["video_features"]),
        )


def feature_sample(parse: VideoParse, num_frames: int, max_persons: int, *, random: bool = False) -> dict[str, Any]:
    """A parse's features for the fusion network.

    Args:
        parse: With at least one frame.
        num_frames: T frames; fewer where there are fewer.
        random: Draw the frames, in rising order, instead of spacing them evenly.
        max_persons: Persons of a frame, the highest scores first.

    Returns:
        ``frame_features`` name to (T, D), ``person_features`` list of T dicts name to (P, D), ``video_features``
        name to (D,). Where the record has state scores, they are a feature of persons too, ``part_states``.
    """
    frames = [parse.frames[i] for i in pick_frames(len(parse.frames), num_frames, random=random)]
    frames = [best_persons(frame, max_persons) for frame in frames]
    return dict(
        frame_features={name: np.stack([f.features[name] for f in frames]) for name in frames[0].features},
        person_features=_with_states(frames),
        video_features=dict(parse.features),
    )


def _num_bytes(frame: FrameParse) -> int:
    """Of a frame's features, those of its persons and their states."""
    arrays = [*frame.features.values(), *frame.person_features.values(), frame.state_scores]
    return sum(array.nbytes for array in arrays if array is not None)


def _with_states(frames: Sequence[FrameParse]) -> list[dict[str, np.ndarray]]:
    """The features of the persons of T frames, with their state scores as one; a score that is no number is 0."""
    known = [frame.state_scores for frame in frames if frame.state_scores is not None]
    if not known:
        return [frame.person_features for frame in frames]
    # A frame without persons may have no scores, or some of other sizes.
    sizes = next((scores for scores in known if len(scores)), known[0]).shape[1:]
    features = []
    for frame in frames:
        scores = frame.state_scores if frame.state_scores is not None and len(frame) else np.zeros((len(frame), *sizes))
        flat = np.nan_to_num(scores.reshape(len(frame), math.prod(sizes)), nan=0.0)
        features.append({STATE_FEATURE: flat, **frame.person_features})
    return features


def pick_frames(available: int, wanted: int, *, random: bool) -> np.ndarray:
    """Positions of ``min(available, wanted)`` frames in rising order, evenly spaced or drawn with NumPy's generator."""
    if available <= wanted:
        return np.arange(available)
    if random:
        return np.sort(np.random.choice(available, wanted, replace=False))
    return even_positions(available, wanted)


def best_persons(frame: FrameParse, count: int) -> FrameParse:
    """The frame with its ``count`` persons of the highest score, in falling order of score."""
    assert frame.scores is not None
    return frame.take(np.argsort(-frame.scores, kind="stable")[:count])
