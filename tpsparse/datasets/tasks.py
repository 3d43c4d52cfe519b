"""One data set a task: each a view of the index that yields what its network eats.

Shapes: P persons in a frame, K parts, D feature channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..registry import DATASETS, SEGMENTERS
from ..structures import FrameParse, LabelTable, VideoParse
from .base import TPSDataset
from .frame_pool import FramePool
from .frame_samplers import even_positions
from .index import ABSENT, VideoEntry
from .keypoints import KeypointWatch, SavedKeypoints, keypoints_of, match_persons
from .segments import count_states, cut_videos, most_frequent


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
    """Persons with their part boxes and states, and maybe keypoints; the pipeline crops them out.

    Args:
        frame_step: Every how many frames of a video are used.
        keypoints: Folder of saved parses of these videos with boxes and keypoints; None for samples without keypoints.
        keypoint_iou: A parsed person of at least that IoU with an annotated one gives it its keypoints, one to one, the
            highest IoU first. An annotated person whom none is like has unknown keypoints.
    """

    def __init__(
        self, *, frame_step: int = 1, keypoints: str | None = None, keypoint_iou: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.keypoint_iou = keypoint_iou
        self.keypoints = None if keypoints is None else SavedKeypoints(keypoints)
        if self.keypoints is not None:
            self.keypoints.check_any(entry.name for entry in self.index.videos)
        labelled = np.unique(self.index.part_person[self.index.parts])
        numbers = self.index.frame_number[self.index.person_frame[labelled]]
        self.rows = labelled[(numbers - 1) % frame_step == 0]
        self.frames = self.index.person_frame[self.rows]
        _refuse_empty(self.rows, "person with an annotated part", self)
        self._watch = None if self.keypoints is None else KeypointWatch(self.keypoints.folder, len(self))
        self._training = False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | tuple[int, int]) -> Any:
        """The item after the pipeline, see :class:`TPSDataset`."""
        self._training = isinstance(key, tuple)  # only training has seeds
        return super().__getitem__(key)

    def sample(self, index: int) -> dict[str, Any]:
        """The frame (H, W, 3), one person's box (4,), part boxes (K, 4) and states (K,), maybe keypoints (J, 3).

        Raises:
            InputError: If the frame cannot be read, or there is no record of its keypoints.
        """
        person = int(self.rows[index])
        entry, number, image, scale = self.read_frame(index)
        part_boxes, part_states = self.index.person_parts(person)
        sample = dict(
            img=image,
            video=entry.name,
            frame_index=number,
            box=self.index.boxes[person] * scale,
            part_boxes=part_boxes * scale,
            part_states=part_states,
            flip_parts=self.taxonomy.flip_parts,
        )
        if self.keypoints is not None:
            keypoints = self._pose(entry, number, index)
            if self._watch is not None and self._training:
                self._watch.see(index, keypoints)
            sample["keypoints"] = keypoints * np.append(scale[:2], np.float32(1))
        return sample

    def _pose(self, entry: VideoEntry, number: int, index: int) -> np.ndarray:
        """Keypoints (J, 3) of a sample's person in annotated pixels."""
        assert self.keypoints is not None
        parsed, keypoints = self.keypoints.frame(entry, number)
        persons = self.index.persons_of(int(self.frames[index]))
        matches = match_persons(self.index.boxes[persons], parsed, self.keypoint_iou)
        return keypoints_of(int(self.rows[index]) - persons.start, matches, keypoints)


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
    """Segments of videos with the label of one part group, in mmaction2's terms.

    The label is that of the pair of the video's action and the state that the group's parts, left and right and of all
    persons, most often have in the segment (PCF, 2022, section II-C). Segments in which no part of the group is
    annotated are left out: they neither teach nor measure anything. A pair that the table does not have has label -1,
    which training cannot use: ``only_labelled`` leaves such segments out too.

    A pipeline whose network is measured by ``StateAccuracy`` ends in
    ``PackActionInputs(meta_keys=("state_counts",))``.

    Args:
        group: Part group, as :attr:`Taxonomy.part_groups` names it.
        label_table: What :meth:`LabelTable.to_meta` gives; ``"@label_table"`` in a config.
        segments: Config of how videos are cut, see :mod:`tpsparse.datasets.segments`.
        only_labelled: For training on segments, or videos, other than those that the table was derived from.

    Raises:
        InputError: If the table is of another group or vocabulary, or nothing of the group is annotated.
    """

    def __init__(
        self,
        *,
        group: str,
        label_table: dict[str, Any],
        segments: dict[str, Any],
        only_labelled: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = LabelTable.from_meta(label_table)
        if self.table.group != group:
            told = f"the label table is of part group {self.table.group}, the data set of {group}"
            raise InputError(f"{told}: give the table of that group, or @label_table")
        lookup = self.table.lookup(self.taxonomy)
        video, rows = cut_videos(self.index, SEGMENTERS.build(segments))
        counts = count_states(self.index, group, video, rows)
        states = most_frequent(counts)
        labels = np.where(states >= 0, lookup[self.index.video_actions[video], states], ABSENT)
        kept = np.flatnonzero((labels if only_labelled else states) >= 0)
        self.video, self.segments, self.state_counts = video[kept], rows[kept], counts[kept]
        self.labels, self.states = labels[kept], states[kept]
        _refuse_empty(kept, f"segment with an annotated part of group {group}", self)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names, with what the labels stand for."""
        return dict(super().metainfo, label_table=self.table.to_meta())

    def __len__(self) -> int:
        return len(self.video)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return self.video

    def sample(self, index: int) -> dict[str, Any]:
        """As :meth:`TPSClipDataset.sample`, of a segment, with what is annotated in it.

        That is ``state_counts`` (S,) of the group, and ``states`` (groups,), -1 for the other groups.
        """
        entry = self.index.videos[int(self.video[index])]
        sample = segment_sample(
            entry.path, entry.name, self.segments[index], fps=entry.fps, label=int(self.labels[index])
        )
        groups = list(self.taxonomy.part_groups)
        states = np.where(np.array(groups) == self.table.group, self.states[index], ABSENT)
        found = dict(state_counts=self.state_counts[index].copy(), states=states, action=entry.action)
        return dict(sample, **found, source=self.source(entry))


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


def segment_sample(path: Path, name: str, segment: np.ndarray, *, fps: float, label: int) -> dict[str, Any]:
    """:func:`clip_sample` of a segment (4,), whose clips are drawn from its own stretch."""
    _, _, first, last = (int(number) for number in segment)
    return dict(clip_sample(path, name, last - first + 1, fps, label=label), start_index=first)


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
