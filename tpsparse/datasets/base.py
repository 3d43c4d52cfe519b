"""What every task's data set shares: the pipeline, seeds, bad items that cost only themselves, and the index."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ..errors import InputError
from ..taxonomy import Taxonomy
from .frame_folder import FrameFolder, open_frames
from .index import VideoEntry, open_index
from .problems import ProblemLog
from .video import Video

FrameSource = Video | FrameFolder
MAX_TRIES = 20
"""Bad samples in a row before a run gives up: then the data set is at fault, not an item."""


class SeededDataset(Dataset):
    """Base of every data set: ``__len__``, ``sample`` and ``sample_groups`` are all that a task adds.

    Args:
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them.
        pipeline: Transforms of a sample, as configs.
    """

    needs_annotations = True
    max_tries = MAX_TRIES

    def __init__(self, *, taxonomy: dict[str, list[str]], pipeline: list[dict[str, Any]]) -> None:
        self.taxonomy = Taxonomy.from_meta(taxonomy)
        self.pipeline = Compose(pipeline)
        self.problems = ProblemLog(shared=True)

    @property
    def metainfo(self) -> dict[str, Any]:
        """What is stored with a checkpoint: the names, so that weights know their vocabulary."""
        return dict(taxonomy=self.taxonomy.to_meta())

    def __len__(self) -> int:
        raise NotImplementedError

    def sample(self, index: int) -> dict[str, Any]:
        """The item before the pipeline.

        Raises:
            InputError: If its file cannot be read.
        """
        raise NotImplementedError

    def sample_groups(self) -> np.ndarray:
        """(len,) a number that samples of one video share, for samplers that keep them near each other."""
        raise NotImplementedError

    def __getitem__(self, key: int | tuple[int, int]) -> Any:
        """The item after the pipeline.

        Everything random in a sample whose key has a seed follows from that seed. An item that cannot be read is
        replaced by the next that can, and reported.
        """
        if isinstance(key, tuple):
            index, seed = key
            seed_transforms(seed)
        else:
            index = key
        tries = min(self.max_tries, len(self))
        for step in range(tries):
            try:
                return self.pipeline(self.sample((index + step) % len(self)))
            except InputError as error:
                last = error
                self._tell(error)
        raise InputError(f"{tries} samples in a row cannot be read; the last: {last}")

    def _tell(self, error: InputError) -> None:
        path = _named_file(str(error))
        message = str(error).removeprefix(f"{path} ")
        if self.problems.add("sample", path, message):
            print_log(f"{path}: {message}; the next item takes its place", logger="current", level=30)


class TPSDataset(SeededDataset):
    """Base of the data sets of part-level action parsing: views of the index of one split.

    Args:
        data_root: A data set in the official layout.
        split: ``train``, ``test``, or a named split such as ``dap/val``.
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them.
        pipeline: Transforms of a sample, as configs.
        use_frames: Read extracted frames where a video has them, see ``tools/prepare_data.py frames``.
    """

    def __init__(
        self,
        *,
        data_root: str,
        split: str,
        taxonomy: dict[str, list[str]],
        pipeline: list[dict[str, Any]],
        use_frames: bool = True,
    ) -> None:
        super().__init__(taxonomy=taxonomy, pipeline=pipeline)
        self.index = open_index(data_root, split, self.taxonomy)
        self.use_frames = use_frames
        self.problems.update(self.index.problems)

    def source(self, entry: VideoEntry) -> FrameSource:
        """Where frames of a video are read: extracted frames where they are whole and of this file, else the video."""
        if self.use_frames:
            extracted = open_frames(self.index.root, entry.split, entry.path.parent.name, entry.name)
            # By size alone: a copy of the data set has the same videos at other times.
            if extracted is not None and extracted.about["video_bytes"] == entry.num_bytes:
                return extracted
        return Video(entry.path, entry.facts)


def _named_file(message: str) -> Path:
    """The file that an error's message begins with; its name may have spaces."""
    words = message.split(" ")
    heads = (Path(" ".join(words[:end])) for end in range(1, len(words) + 1))
    return next((path for path in heads if path.is_file()), Path(words[0]))


def seed_transforms(seed: int) -> None:
    """Seed what transforms draw from, and leave torch's generator to the model."""
    random.seed(seed)
    np.random.seed(seed)


def refuse_empty(rows: np.ndarray, kind: str, dataset: TPSDataset) -> None:
    """Refuse a data set without a single row, telling which kind of thing its split lacks and what could not be read.

    Raises:
        InputError: If there are no rows.
    """
    if len(rows) == 0:
        dataset.problems.report("data set")
        raise InputError(
            f"{dataset.index.root} ({dataset.index.split}) has no {kind}: annotate it or use another split"
        )
