"""Part boxes of the persons found, by a detector on their crops.

Shapes: T frames, P persons in a frame, K parts, J = 17 keypoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.config import Config

from ..registry import STAGES
from ..structures import FrameParse
from ..taxonomy import Taxonomy
from .base import Stage
from .batches import Person, person_batches, person_item
from .network import has_step, load_network

PAINTER = "PaintKeypoints"
"""The transform that makes a part detector pose-guided."""


@STAGES.register_module()
class DetectParts(Stage):
    """Run a part detector on the crop of every person.

    A network whose ``test_pipeline`` paints keypoints needs them of an earlier stage; a person of whom none is
    confident is parsed unpainted.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        batch_persons: Persons in a batch, across frames.
        options: Overrides of the config in the stage.
    """

    gives = ("part_boxes", "part_scores")

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
        self.paints = paints_keypoints(self.network.config)
        self.needs = ["boxes", "keypoints"] if self.paints else ["boxes"]

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give part boxes and scores of every person."""
        for frame in frames:
            shape = (len(frame), len(self.taxonomy.parts))
            frame.part_boxes = np.full((*shape, 4), np.nan, dtype=np.float32)
            frame.part_scores = np.zeros(shape, dtype=np.float32)
        for batch in person_batches(images, frames, self.batch_persons):
            items = [self.network.pipeline(self._item(person)) for person in batch]
            for (_, frame, row), result in zip(batch, self.network.predict(items)):
                _write(frame, row, result)

    def _item(self, person: Person) -> dict[str, Any]:
        item = person_item(person, self.taxonomy.flip_parts)
        if self.paints:
            _, frame, row = person
            assert frame.keypoints is not None  # an earlier stage gives them
            item["keypoints"] = frame.keypoints[row]
        return item


def _write(frame: FrameParse, row: int, result: Any) -> None:
    for name in DetectParts.gives:
        getattr(frame, name)[row] = result.get(name).float().cpu().numpy()


def paints_keypoints(cfg: Config) -> bool:
    """Whether a training config's ``test_pipeline`` paints keypoints."""
    return has_step(cfg, PAINTER)
