"""Parts of the persons found, and their states.

Shapes: T frames, P persons in a frame, K parts, S states, D feature channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import STAGES
from ..structures import FrameParse
from ..taxonomy import Taxonomy
from .base import Stage
from .batches import person_batches, person_item
from .network import load_network

# What the network calls a thing, and what the record does.
FIELDS = {"part_boxes": "part_boxes", "part_scores": "part_scores", "state_scores": "state_scores"}
FEATURES = {"part_feature": "part", "state_feature": "state"}


@STAGES.register_module()
class ParseParts(Stage):
    """Run Parsing-HRNet on the crop of every person.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        batch_persons: Persons in a batch, across frames.
    """

    needs = ("boxes",)
    gives = ("part_boxes", "part_scores", "state_scores", "feature:part", "feature:state")

    def __init__(
        self,
        *,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        batch_persons: int = 32,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.taxonomy = taxonomy
        self.batch_persons = batch_persons
        self.widths = {
            "part": self.network.model.part_feature_dim,
            "state": self.network.model.state_feature_dim,
        }

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give part boxes, state scores and features of every person."""
        for frame in frames:
            self._make_room(frame)
        for batch in person_batches(images, frames, self.batch_persons):
            items = [self.network.pipeline(person_item(person, self.taxonomy.flip_parts)) for person in batch]
            for (_, frame, row), result in zip(batch, self.network.predict(items)):
                _write(frame, row, result)

    def _make_room(self, frame: FrameParse) -> None:
        persons, parts, states = len(frame), len(self.taxonomy.parts), len(self.taxonomy.states)
        frame.part_boxes = np.full((persons, parts, 4), np.nan, dtype=np.float32)
        frame.part_scores = np.zeros((persons, parts), dtype=np.float32)
        frame.state_scores = np.zeros((persons, parts, states), dtype=np.float32)
        for name, width in self.widths.items():
            frame.person_features[name] = np.zeros((persons, width), dtype=np.float32)


def _write(frame: FrameParse, row: int, result: Any) -> None:
    for name, own in FIELDS.items():
        getattr(frame, own)[row] = result.get(name).float().cpu().numpy()
    for name, own in FEATURES.items():
        frame.person_features[own][row] = result.get(name).float().cpu().numpy()
