"""Videos of Kinetics-TPS's layout with features of their frames, to be cut into sub-actions.

Shapes: T frames of a video, D feature channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...registry import DATASETS
from ...taxonomy import Taxonomy
from ..base import TPSDataset
from ..index import VideoEntry
from ..problems import Problem
from .instance_features import check_files, read_features
from .instances import tell_lost


@DATASETS.register_module()
class TPSFrameFeatureDataset(TPSDataset):
    """Frame features of whole videos, as ``FrameEncoder`` has saved them, one file a video of its name.

    A sample is that of :class:`TAPOSFeatureDataset`, with the video's name for a key and no boundaries, since Kinetics-
    TPS annotates none: a parser that was trained on TAPOS tells them. Videos whose features are missing or do not fit,
    in number of frames, width or encoder, are left out.

    Args:
        features: Folder of the features.
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them, for the labels; None for those at ``data_root``, where
            the run's own are those of the data that its parser was trained on.
        kwargs: As for :class:`TPSDataset`.

    Raises:
        InputError: If no video has features.
    """

    needs_annotations = False

    def __init__(
        self, *, data_root: str, features: str, taxonomy: dict[str, list[str]] | None = None, **kwargs: Any
    ) -> None:
        names = Taxonomy.from_root(data_root).to_meta() if taxonomy is None else taxonomy
        super().__init__(data_root=data_root, taxonomy=names, **kwargs)
        self.features = Path(features)
        files = [(self.file(entry), entry.num_frames) for entry in self.index.videos]
        checks = list(zip(self.index.videos, check_files(self.features, files)))
        self.videos = [entry for entry, check in checks if not check.fault]
        self._tell_lost({self.file(entry): check.fault for entry, check in checks if check.fault})

    def __len__(self) -> int:
        return len(self.videos)

    def sample_groups(self) -> np.ndarray:
        """(len,) position of each sample's video."""
        return np.arange(len(self))

    def file(self, entry: VideoEntry) -> Path:
        """Where the features of a video lie."""
        return self.features / f"{entry.name}.safetensors"

    def sample(self, index: int) -> dict[str, Any]:
        """``features`` (T, D) float32 of a video, empty ``boundaries``, and the id of its action as ``label``.

        Raises:
            InputError: If the features cannot be read or are not finite.
        """
        entry = self.videos[index]
        return dict(
            key=entry.name,
            features=read_features(self.file(entry), entry.num_frames),
            boundaries=np.zeros(0, dtype=np.int64),
            label=entry.action,
            num_frames=entry.num_frames,
            fps=entry.fps,
        )

    def _tell_lost(self, faults: dict[Path, str]) -> None:
        remedy = f"write {self.features} with tools/test.py and a config of configs/frame_features"
        lost = [Problem("video", path, f"{fault}: {remedy}") for path, fault in faults.items()]
        tell_lost(self.problems, lost, self.index.root, remedy)
        if not self.videos:
            self.problems.report("data set")
            raise InputError(f"{self.index.root} ({self.index.split}) has no video with features: {remedy}")
