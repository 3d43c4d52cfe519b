"""One data set a task: each a view of the index that yields what its network eats.

Shapes: P persons in a frame, K parts, D feature channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..registry import DATASETS
from ..structures import FrameParse, VideoParse
from .base import TPSDataset
from .frame_pool import FramePool
from .frame_samplers import even_positions
from .index import ABSENT, TPSIndex, VideoEntry


class _FrameDataset(TPSDataset):
    """Samples that are each of one annotated frame.

    Attributes:
        frames: (len,) frame row of each sample, in rising order.
        pool: Decoded frames that are kept; None where samples come in any order.
    """

    frames: np.ndarray
    pool: FramePool | None = None

    def expect_pools(self) -> None:
        """Samples of a few videos are going to follow each other: keep their frames."""
        self.pool = FramePool()

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return self.index.frame_video[self.frames]

    def read_frame(self, index: int) -> tuple[VideoEntry, int, np.ndarray, np.ndarray]:
        """A sample's video, frame number, picture (H, W, 3) and the factor (4,) from annotated pixels to its pixels."""
        frame = int(self.frames[index])
        entry, number = self.index.video_of(frame), int(self.index.frame_number[frame])
        source = self.source(entry)
        scale = np.array([source.size[1] / entry.size[1], source.size[0] / entry.size[0]] * 2, dtype=np.float32)
        if self.pool is None:
            return entry, number, source.frames([number])[0], scale
        return entry, number, self.pool.frame(source, number, lambda: self._numbers_of(entry)).copy(), scale

    def _numbers_of(self, entry: VideoEntry) -> list[int]:
        """Numbers of the frames of a video that samples are of, rising."""
        start, stop = np.searchsorted(self.frames, [entry.frames.start, entry.frames.stop])
        return np.unique(self.index.frame_number[self.frames[start:stop]]).tolist()


@DATASETS.register_module()
class TPSPersonDataset(_FrameDataset):
    """Frames with persons and the video's action, in mmdet's terms.

    Args:
        frame_step: Every how many frames of a video are used; 5 is what the challenge evaluates.
    """

    def __init__(self, *, frame_step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        rows = self.index.frames
        self.frames = rows[(self.index.frame_number[rows] - 1) % frame_step == 0]
        _refuse_empty(self.frames, "annotated frame", self)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names, with those of the detector's classes where mmdet looks for them."""
        return dict(super().metainfo, classes=("person",))

    def __len__(self) -> int:
        return len(self.frames)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), its persons' boxes (P, 4) and its video's action."""
        entry, number, image, scale = self.read_frame(index)
        return dict(
            img=image,
            img_shape=image.shape[:2],
            ori_shape=image.shape[:2],
            img_id=index,
            img_path=str(entry.path),
            video=entry.name,
            frame_index=number,
            action=entry.action,
            boxes=self.index.boxes[self.index.persons_of(int(self.frames[index]))] * scale,
        )


@DATASETS.register_module()
class TPSPartDataset(_FrameDataset):
    """Persons with their part boxes and states; the pipeline crops them out.

    Args:
        frame_step: Every how many frames of a video are used.
    """

    def __init__(self, *, frame_step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        labelled = np.unique(self.index.part_person[self.index.parts])
        numbers = self.index.frame_number[self.index.person_frame[labelled]]
        self.rows = labelled[(numbers - 1) % frame_step == 0]
        self.frames = self.index.person_frame[self.rows]
        _refuse_empty(self.rows, "person with an annotated part", self)

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), one person's box (4,), part boxes (K, 4) and states (K,)."""
        person = int(self.rows[index])
        entry, number, image, scale = self.read_frame(index)
        part_boxes, part_states = self.index.person_parts(person)
        return dict(
            img=image,
            video=entry.name,
            frame_index=number,
            box=self.index.boxes[person] * scale,
            part_boxes=part_boxes * scale,
            part_states=part_states,
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

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return np.arange(len(self)) % len(self.index.videos)

    def sample(self, index: int) -> dict[str, Any]:
        """Where the frames are, their count, and the label of a video."""
        entry = self.index.videos[index % len(self.index.videos)]
        sample = clip_sample(entry.path, entry.name, entry.num_frames, entry.fps, label=entry.action)
        return dict(sample, source=self.source(entry))


@DATASETS.register_module()
class TPSSegmentDataset(TPSDataset):
    """Stretches of videos with the states that their parts have there, in mmaction2's terms.

    A group's label in a segment is the state that its parts, left and right and of all persons, most often have there
    (PCF, 2022, section on part states). A video is cut into equal segments of about ``seconds``.

    Args:
        seconds: Length aimed at; None for the whole video, as the 2021 runner-up has it.
    """

    def __init__(self, *, seconds: float | None = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        counts = [_num_segments(entry, seconds) for entry in self.index.videos]
        self.video = np.repeat(np.arange(len(counts)), counts)
        self.position = np.concatenate([np.arange(count) for count in counts])
        self.count = np.repeat(counts, counts)

    def __len__(self) -> int:
        return len(self.video)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return self.video

    def sample(self, index: int) -> dict[str, Any]:
        """As :meth:`TPSClipDataset.sample`, with ``states`` (groups,), -1 where no part of the group is annotated."""
        entry = self.index.videos[int(self.video[index])]
        place, count = int(self.position[index]), int(self.count[index])
        first, last = place * entry.num_frames // count + 1, (place + 1) * entry.num_frames // count
        sample = clip_sample(entry.path, entry.name, last - first + 1, entry.fps, label=entry.action)
        states = segment_states(self.index, entry, first, last)
        return dict(sample, start_index=first, states=states, source=self.source(entry))


@DATASETS.register_module()
class TPSFeatureDataset(TPSDataset):
    """Features that a parsing run has saved, one file a video.

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
        self.videos = [i for i, entry in enumerate(self.index.videos) if entry.name in self.files]
        if not self.videos:
            raise InputError(f"{parses} has no saved parse of a {self.index.split} video: run tools/reproduce.py")

    def __len__(self) -> int:
        return len(self.videos)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return np.array(self.videos)

    def sample(self, index: int) -> dict[str, Any]:
        """Every feature of a video by name, with the action; what a network uses of them is its config's choice."""
        entry = self.index.videos[self.videos[index]]
        parse = VideoParse.load(self.files[entry.name])
        if parse.error or not parse.frames:
            raise InputError(f"{self.files[entry.name]} holds no parsed frame ({parse.error}): parse the video again")
        return dict(
            feature_sample(parse, self.num_frames, self.max_persons, random=self.random),
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
        """The video's path, its annotation as a :class:`VideoParse` or None, and the id of its action.

        The action is that of the folder, known also where nothing is annotated, as in the official test split.
        """
        path = self.paths[index]
        readable = index < len(self.index.videos)
        truth = self.index.ground_truth(index) if readable else self.index.truth_of_broken(path)
        action = self.index.taxonomy.action_ids.get(path.parent.name, -1)
        return dict(video=str(path), ground_truth=truth, action=action)


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


def segment_states(index: TPSIndex, entry: VideoEntry, first: int, last: int) -> np.ndarray:
    """Most frequent state of each part group in the frames ``first`` to ``last``, those included.

    Returns:
        (groups,) int64 in the order of :attr:`Taxonomy.part_groups`, the first of equals, -1 where there is none.
    """
    rows = np.arange(entry.frames.start, entry.frames.stop)
    numbers = index.frame_number[entry.frames.start : entry.frames.stop]
    rows = rows[(numbers >= first) & (numbers <= last)]
    groups = index.taxonomy.part_groups
    if not len(rows):
        return np.full(len(groups), ABSENT, dtype=np.int64)
    persons = slice(index.persons_of(int(rows[0])).start, index.persons_of(int(rows[-1])).stop)
    part, state = index.part_labels(index.parts_of(persons))
    counts = np.zeros((len(index.taxonomy.parts), len(index.taxonomy.states)), dtype=np.int64)
    np.add.at(counts, (part[part >= 0], state[part >= 0]), 1)
    totals = np.stack([counts[members].sum(axis=0) for members in groups.values()])
    return np.where(totals.any(axis=1), totals.argmax(axis=1), ABSENT)


def _num_segments(entry: VideoEntry, seconds: float | None) -> int:
    if seconds is None or entry.fps <= 0:
        return 1
    return min(max(1, round(entry.num_frames / (entry.fps * seconds))), max(1, entry.num_frames))


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
