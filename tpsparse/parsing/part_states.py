"""States and relevance of the parts found, and the features that the SCU system's action is told by.

Shapes: T frames, P persons in a frame, K parts, S states, C object names, D feature channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..registry import STAGES
from ..structures import FrameObjects, FrameParse
from ..taxonomy import Taxonomy
from .base import NetworkStage
from .batches import batches
from .network import load_network
from .window import Window

FEATURES = {
    "part_visual": "part_visual",
    "part_relevance": "relevance",
    "person_objects": "person_objects",
}
"""What the record calls a feature of persons, and what the network does."""


@STAGES.register_module()
class ParsePartStates(NetworkStage):
    """Run a :class:`tpsparse.models.part_states.PartStateNet` on whole frames with their part boxes and objects.

    Of each person the record gets ``state_scores`` (P, K, S) and the features ``part_visual`` (P, K * D),
    ``part_relevance`` (P, K), 1 for each part with a box if the network predicts none, and ``person_objects``
    (P, C + 1), the score of the object that the person deals with at its name and 1 minus that score last. What belongs
    to a part without a box is 0.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
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
        options: dict[str, Any] | None = None,
    ) -> None:
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.taxonomy = taxonomy

    def parse_window(self, window: Window) -> None:
        """Give state scores and features of every person."""
        images, frames = window.images.cpu().numpy(), window.records()
        inhabited = [(image, frame) for image, frame in zip(images, frames) if len(frame)]
        results: list[Any] = []
        for batch in batches(inhabited, self.runtime.batch_frames):
            results += self.network.predict([self.network.pipeline(self._item(*each)) for each in batch])
        self._make_room(window)
        if results:
            window.persons["state_scores"] = torch.cat([result.state_scores for result in results]).float()
            for name, own in FEATURES.items():
                rows = [result.get(own).float().flatten(1) for result in results]
                window.person_features[name] = torch.cat(rows)

    def _make_room(self, window: Window) -> None:
        """The columns of no person."""
        parts, states = len(self.taxonomy.parts), len(self.taxonomy.states)
        widths = {
            "part_visual": parts * self.network.model.channels,
            "part_relevance": parts,
            "person_objects": len(self.taxonomy.objects) + 1,
        }
        window.persons["state_scores"] = torch.zeros(0, parts, states, device=window.images.device)
        for name, width in widths.items():
            window.person_features[name] = torch.zeros(0, width, device=window.images.device)

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
