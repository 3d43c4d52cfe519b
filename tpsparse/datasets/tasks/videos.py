"""Whole videos, for parsing runs."""

from __future__ import annotations

from typing import Any

from ...registry import DATASETS
from ..base import TPSDataset


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
