"""Videos and stretches of them, in mmaction2's terms. Shapes: S states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS, SEGMENTERS
from ...structures import LabelTable
from ..base import TPSDataset, refuse_empty
from ..index import ABSENT
from ..segments import count_states, cut_videos, most_frequent


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
