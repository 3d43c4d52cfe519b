"""Videos, stretches of them and action instances, in mmaction2's terms. Shapes: S states; of segments: N of a video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS, SEGMENTERS
from ...structures import LabelTable
from ...structures.boundaries_file import Boundaries
from ...structures.temporal import segments_of
from ..base import TPSDataset, refuse_empty
from ..index import ABSENT
from ..instances import Instance
from ..problems import Problem, ProblemLog
from ..segments import count_states, cut_videos, most_frequent
from ..video import open_video
from .instances import InstanceDataset, keep_cut

TRUTH = "truth"
"""As ``segments``: those that are annotated."""


@DATASETS.register_module()
class TPSClipDataset(TPSDataset):
    """Videos with their action, in mmaction2's terms; the pipeline samples and decodes the clips.

    Args:
        repeat: How many samples a video gives in one epoch.
        segments: File of boundaries (:class:`.Boundaries`) by the name of the video, for ``SampleAlongSegments``.
    """

    needs_annotations = False

    def __init__(self, *, repeat: int = 1, segments: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repeat = repeat
        lengths = {entry.name: entry.num_frames for entry in self.index.videos}
        self.segments = None if segments is None else read_segments(segments, lengths, self.problems)

    def __len__(self) -> int:
        return len(self.index.videos) * self.repeat

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return np.arange(len(self)) % len(self.index.videos)

    def sample(self, index: int) -> dict[str, Any]:
        """Where the frames are, their count, and the label of a video."""
        entry = self.index.videos[index % len(self.index.videos)]
        sample = clip_sample(entry.path, entry.name, entry.num_frames, entry.fps, label=entry.action)
        if self.segments is not None:
            sample["segments"] = self.segments[entry.name].copy()
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
        refuse_empty(kept, f"segment with an annotated part of group {group}", self)

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
class TAPOSClipDataset(InstanceDataset):
    """Cut instances with their action, in mmaction2's terms; the pipeline samples and decodes the clips.

    Instances without a label and those whose video is not there are left out.

    Args:
        segments: Where the segments come from that ``SampleAlongSegments`` goes by: ``"truth"`` for the annotated
            sub-actions, a file of boundaries (:class:`.Boundaries`), or None for none.
        kwargs: As for :class:`InstanceDataset`.

    Raises:
        InputError: If no instance is left, or the file of boundaries cannot be read.
    """

    def __init__(self, *, segments: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        lost = [Problem("instance", self.index.root, f"has no label of {one.key}") for one in self._labelled(False)]
        self.keep(self._labelled(True), lost, kind="labelled instance", remedy="add the labels to the annotation")
        keep_cut(self)
        lengths = {instance.key: instance.num_frames for instance in self.instances}
        self.segments: Mapping[str, np.ndarray] | None = None
        if segments == TRUTH:
            self.segments = {one.key: segments_of(one.boundaries, one.num_frames) for one in self.instances}
        elif segments is not None:
            self.segments = read_segments(segments, lengths, self.problems)

    def sample(self, index: int) -> dict[str, Any]:
        """As :meth:`TPSClipDataset.sample`, of an instance, with its ``key`` and its ``segments`` (N, 2), if any.

        Raises:
            InputError: If the video cannot be read, or has not the frames that are annotated.
        """
        instance = self.instances[index]
        video = open_video(self.index.video(instance))
        if video.facts.num_frames != instance.num_frames:
            raise InputError(
                f"{video.path} has {video.facts.num_frames} frames, and {instance.num_frames} are annotated: "
                "remove it and run tools/prepare_data.py tapos cut again"
            )
        sample = clip_sample(
            video.path, instance.key, instance.num_frames, instance.fps or video.fps, label=self.label(instance)
        )
        if self.segments is not None:
            sample["segments"] = self.segments[instance.key].copy()
        return dict(sample, key=instance.key, source=video)

    def _labelled(self, wanted: bool) -> list[Instance]:
        return [instance for instance in self.instances if (self.label(instance) >= 0) == wanted]


def read_segments(path: str, lengths: Mapping[str, int], problems: ProblemLog) -> dict[str, np.ndarray]:
    """Predicted segments of each video; a video of which the file tells nothing usable is one segment.

    Args:
        path: File of boundaries.
        lengths: Frames of each video by its name, or key.
        problems: Is told, once, of videos that are not in the file or have another length in it.

    Returns:
        Name to (N, 2) int64 of first and end position from 0.

    Raises:
        InputError: If the file cannot be read.
    """
    found = Boundaries.load(path).instances
    known = {name for name, length in lengths.items() if name in found and found[name][0] == length}
    none = np.zeros(0, dtype=np.int64)
    lost = [name for name in lengths if name not in known]
    if lost:
        told = f"tells no boundaries of {len(lost)} of {len(lengths)} videos, such as {lost[0]}, in their length"
        problems.add("segmentation", Path(path), f"{told}: they are sampled evenly; write it again")
    return {name: segments_of(found[name][1] if name in known else none, length) for name, length in lengths.items()}


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
