"""States and relevance of the parts found, and the features that the SCU system's action is told by.

Shapes: T frames, P persons in a frame, K parts, S states, C object names, D feature channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import STAGES
from ..structures import FrameObjects, FrameParse
from ..taxonomy import Taxonomy
from .base import Stage
from .batches import batches
from .network import load_network

FEATURES = {
    "part_visual": "part_visual",
    "part_relevance": "relevance",
    "person_objects": "person_objects",
}
"""What the record calls a feature of persons, and what the network does."""


@STAGES.register_module()
class ParsePartStates(Stage):
    """Run a :class:`tpsparse.models.part_states.PartStateNet` on whole frames with their part boxes and objects.

    Of each person the record gets ``state_scores`` (P, K, S) and the features ``part_visual`` (P, K * D),
    ``part_relevance`` (P, K), 1 for each part with a box if the network predicts none, and ``person_objects``
    (P, C + 1), the score of the object that the person deals with at its name and 1 minus that score last. What belongs
    to a part without a box is 0.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        batch_frames: Frames in a batch.
        options: Overrides of the config in the stage.
    """

    needs = ("boxes", "part_boxes", "objects")
    gives = ("state_scores", *(f"feature:{name}" for name in FEATURES))

    def __init__(
        self,
        *,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        batch_frames: int = 8,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.taxonomy = taxonomy
        self.batch_frames = batch_frames

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give state scores and features of every person."""
        for frame in frames:
            self._make_room(frame)
        inhabited = [(image, frame) for image, frame in zip(images, frames) if len(frame)]
        for batch in batches(inhabited, self.batch_frames):
            items = [self.network.pipeline(self._item(image, frame)) for image, frame in batch]
            for (_, frame), result in zip(batch, self.network.predict(items)):
                _write(frame, result)

    def _make_room(self, frame: FrameParse) -> None:
        persons, parts, states = len(frame), len(self.taxonomy.parts), len(self.taxonomy.states)
        widths = {
            "part_visual": parts * self.network.model.channels,
            "part_relevance": parts,
            "person_objects": len(self.taxonomy.objects) + 1,
        }
        frame.state_scores = np.zeros((persons, parts, states), dtype=np.float32)
        for name, width in widths.items():
            frame.person_features[name] = np.zeros((persons, width), dtype=np.float32)

    def _item(self, image: np.ndarray, frame: FrameParse) -> dict[str, Any]:
        objects = frame.objects if frame.objects is not None else FrameObjects.none()
        return dict(
            img=image,
            video="",
            frame_index=frame.frame_index,
            flip_parts=self.taxonomy.flip_parts,
            boxes=frame.boxes,
            part_boxes=frame.part_boxes,
            object_boxes=objects.boxes,
            object_scores=objects.scores,
            object_labels=objects.labels,
        )


def _write(frame: FrameParse, result: Any) -> None:
    assert frame.state_scores is not None  # room has been made
    frame.state_scores[:] = _array(result.state_scores)
    for name, own in FEATURES.items():
        frame.person_features[name][:] = _array(result.get(own)).reshape(len(frame), -1)


def _array(values: Any) -> np.ndarray:
    return values.float().cpu().numpy()
