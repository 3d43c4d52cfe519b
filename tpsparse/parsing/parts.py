"""Parts of the persons found and, where the network tells them, their states.

Shapes: T frames, P persons in a frame, K parts, S states, D feature channels, J = 17 keypoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..registry import STAGES
from ..structures import FrameParse
from ..taxonomy import Taxonomy
from .base import Stage
from .batches import Person, person_batches, person_item
from .network import has_step, load_network

FEATURES = {"part_feature": "part", "state_feature": "state"}
"""What a network calls a feature of a person, and what the record does."""
PAINTER = "PaintKeypoints"
"""The transform that makes a part network pose-guided."""


@STAGES.register_module()
class ParseParts(Stage):
    """Run a part network on the crop of every person: Parsing-HRNet, or a detector whose classes are the parts.

    It gives what the network names in ``outputs``. A network whose ``test_pipeline`` paints keypoints needs them of an
    earlier stage; a person of whom none is confident is parsed unpainted.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        batch_persons: Persons in a batch, across frames.
        options: Overrides of the config in the stage.
    """

    gives: Sequence[str] = ("part_boxes", "part_scores")

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
        self.paints = has_step(self.network.config, PAINTER)
        self.outputs = self.network.model.outputs
        self.needs = ["boxes", "keypoints"] if self.paints else ["boxes"]
        self.gives = [f"feature:{FEATURES[name]}" if name in FEATURES else name for name in self.outputs]

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give part boxes and whatever else the network tells of every person."""
        for frame in frames:
            self._make_room(frame)
        for batch in person_batches(images, frames, self.batch_persons):
            items = [self.network.pipeline(self._item(person)) for person in batch]
            for (_, frame, row), result in zip(batch, self.network.predict(items)):
                for name in self.outputs:
                    _field(frame, name)[row] = result.get(name).float().cpu().numpy()

    def _item(self, person: Person) -> dict[str, Any]:
        item = person_item(person, self.taxonomy.flip_parts)
        if self.paints:
            _, frame, row = person
            assert frame.keypoints is not None  # an earlier stage gives them
            item["keypoints"] = frame.keypoints[row]
        return item

    def _make_room(self, frame: FrameParse) -> None:
        parts, states = len(self.taxonomy.parts), len(self.taxonomy.states)
        shapes = dict(part_boxes=(parts, 4), part_scores=(parts,), state_scores=(parts, states))
        for name in self.outputs:
            shape = shapes[name] if name in shapes else (getattr(self.network.model, f"{name}_dim"),)
            empty = np.nan if name == "part_boxes" else 0
            values = np.full((len(frame), *shape), empty, dtype=np.float32)
            if name in FEATURES:
                frame.person_features[FEATURES[name]] = values
            else:
                setattr(frame, name, values)


def _field(frame: FrameParse, name: str) -> np.ndarray:
    """The record's place for what the network calls ``name``."""
    return frame.person_features[FEATURES[name]] if name in FEATURES else getattr(frame, name)
