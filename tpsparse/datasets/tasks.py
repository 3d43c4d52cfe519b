"""One data set a task: each a view of the index that yields what its network eats.

Shapes: P persons in a frame, K parts, D feature channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..registry import DATASETS
from ..structures import FrameParse, VideoParse, is_present
from .base import TPSDataset
from .frame_samplers import even_positions
from .video import open_video


@DATASETS.register_module()
class TPSPersonDataset(TPSDataset):
    """Frames with persons and the video's action, in mmdet's terms.

    Args:
        frame_step: Every how many frames of a video are used; 5 is what the challenge evaluates.
    """

    def __init__(self, *, frame_step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = np.flatnonzero((self.index.frame_number - 1) % frame_step == 0)
        _refuse_empty(self.rows, "annotated frame", self)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names, with those of the detector's classes where mmdet looks for them."""
        return dict(super().metainfo, classes=("person",))

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), its persons' boxes (P, 4) and its video's action."""
        frame = int(self.rows[index])
        entry = self.index.videos[int(self.index.frame_video[frame])]
        number = int(self.index.frame_number[frame])
        image = open_video(entry.path).frames([number])[0]
        return dict(
            img=image,
            img_shape=image.shape[:2],
            ori_shape=image.shape[:2],
            img_id=index,
            img_path=str(entry.path),
            video=entry.name,
            frame_index=number,
            action=entry.action,
            boxes=self.index.boxes[self.index.persons_of(frame)].copy(),
        )


@DATASETS.register_module()
class TPSPartDataset(TPSDataset):
    """Persons with their part boxes and states; the pipeline crops them out.

    Args:
        frame_step: Every how many frames of a video are used.
    """

    def __init__(self, *, frame_step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        numbers = self.index.frame_number[self.index.frame_of_person()]
        labelled = is_present(self.index.part_boxes).any(axis=1)
        self.rows = np.flatnonzero(labelled & ((numbers - 1) % frame_step == 0))
        self.frames = self.index.frame_of_person()[self.rows]
        _refuse_empty(self.rows, "person with an annotated part", self)

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), one person's box (4,), part boxes (K, 4) and states (K,)."""
        person, frame = int(self.rows[index]), int(self.frames[index])
        entry = self.index.videos[int(self.index.frame_video[frame])]
        number = int(self.index.frame_number[frame])
        return dict(
            img=open_video(entry.path).frames([number])[0],
            video=entry.name,
            frame_index=number,
            box=self.index.boxes[person].copy(),
            part_boxes=self.index.part_boxes[person].copy(),
            part_states=self.index.part_states[person].copy(),
            flip_parts=self.taxonomy.flip_parts,
        )


@DATASETS.register_module()
class TPSClipDataset(TPSDataset):
    """Videos with their action, in mmaction2's terms; the pipeline samples and decodes the clips.

    Args:
        repeat: How many samples a video gives in one epoch.
    """

    needs_annotations = False

    def __init__(self, *, repeat: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repeat = repeat

    def __len__(self) -> int:
        return len(self.index.videos) * self.repeat

    def sample(self, index: int) -> dict[str, Any]:
        """Path, frame count and label of a video."""
        entry = self.index.videos[index % len(self.index.videos)]
        return clip_sample(entry.path, entry.name, entry.num_frames, entry.fps, label=entry.action)


@DATASETS.register_module()
class TPSFeatureDataset(TPSDataset):
    """Features that a parsing run has saved, one file a video.

    Args:
        parses: Folder of saved parses of this split.
        num_frames: Frames taken of each video: evenly in testing, at random in training.
        max_persons: Persons taken of each frame, the highest scores first.
    """

    def __init__(self, *, parses: str, num_frames: int = 32, max_persons: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.files = {path.stem: path for path in sorted(Path(parses).glob("*.safetensors"))}
        self.num_frames, self.max_persons = num_frames, max_persons
        self.entries = [entry for entry in self.index.videos if entry.name in self.files]
        if not self.entries:
            raise InputError(f"{parses} has no saved parse of a {self.index.split} video: run tools/reproduce.py")

    def __len__(self) -> int:
        return len(self.entries)

    def sample(self, index: int) -> dict[str, Any]:
        """Every feature of a video by name, with the action; what a network uses of them is its config's choice."""
        entry = self.entries[index]
        parse = VideoParse.load(self.files[entry.name])
        if parse.error or not parse.frames:
            raise InputError(f"{self.files[entry.name]} holds no parsed frame ({parse.error}): parse the video again")
        return dict(
            feature_sample(parse, self.num_frames, self.max_persons, random=self.index.split == "train"),
            video=entry.name,
            action=entry.action,
        )


@DATASETS.register_module()
class VideoDataset(TPSDataset):
    """Whole videos for a parsing run, the unreadable ones included, so that each is accounted for."""

    needs_annotations = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pipeline=[], **kwargs)
        self.paths = [entry.path for entry in self.index.videos] + self.index.broken

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, index: int) -> dict[str, Any]:
        """The video's path, and its annotation as a :class:`VideoParse` or None."""
        path = self.paths[index]
        readable = index < len(self.index.videos)
        truth = self.index.ground_truth(index) if readable else self.index.truth_of_broken(path)
        return dict(video=str(path), ground_truth=truth)


def clip_sample(path: Path, name: str, num_frames: int, fps: float, *, label: int) -> dict[str, Any]:
    """What mmaction2's frame sampling and packing want to know of a video."""
    return dict(
        filename=str(path),
        video=name,
        total_frames=num_frames,
        avg_fps=fps,
        start_index=1,
        modality="RGB",
        label=label,
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
        name to (D,).
    """
    frames = [parse.frames[i] for i in pick_frames(len(parse.frames), num_frames, random=random)]
    frames = [best_persons(frame, max_persons) for frame in frames]
    return dict(
        frame_features={name: np.stack([f.features[name] for f in frames]) for name in frames[0].features},
        person_features=[frame.person_features for frame in frames],
        video_features=dict(parse.features),
    )


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


def _refuse_empty(rows: np.ndarray, kind: str, dataset: TPSDataset) -> None:
    if len(rows) == 0:
        dataset.problems.report("data set")
        raise InputError(
            f"{dataset.index.root} ({dataset.index.split}) has no {kind}: annotate it or use another split"
        )
