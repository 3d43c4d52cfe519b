"""Parts of the persons found and, where the network tells them, their states.

Shapes: T frames, P persons in a frame, K parts, S states, D feature channels, J = 17 keypoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..registry import STAGES
from ..taxonomy import Taxonomy
from .base import NetworkStage
from .batches import person_column, person_item, person_results
from .network import has_step, load_network
from .window import Window

FEATURES = {"part_feature": "part", "state_feature": "state"}
"""What a network calls a feature of a person, and what the record does."""
PAINTER = "PaintKeypoints"
"""The transform that makes a part network pose-guided."""


@STAGES.register_module()
class ParseParts(NetworkStage):
    """Run a part network on the crop of every person: Parsing-HRNet, or a detector whose classes are the parts.

    It gives what the network names in ``outputs``. A network whose ``test_pipeline`` paints keypoints needs them of an
    earlier stage; a person of whom none is confident is parsed unpainted.

    Args:
        config: Config that the network was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        options: Overrides of the config in the stage.
    """

    gives: Sequence[str] = ("part_boxes", "part_scores")

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
        self.paints = has_step(self.network.config, PAINTER)
        self.outputs = self.network.model.outputs
        self.needs = ["boxes", "keypoints"] if self.paints else ["boxes"]
        self.gives = [f"feature:{FEATURES[name]}" if name in FEATURES else name for name in self.outputs]

    def parse_window(self, window: Window) -> None:
        """Give part boxes and whatever else the network tells of every person."""
        size = self.runtime.batch_persons
        results = person_results(self.network, window, size, self._item)
        for name in self.outputs:
            rows = [result.get(name) for result in results]
            column = torch.stack(rows).float() if rows else self._nothing(name, window.images.device)
            if name in FEATURES:
                window.person_features[FEATURES[name]] = column
            else:
                window.persons[name] = column

    def _item(self, window: Window, row: int) -> dict[str, Any]:
        item = person_item(window, row, self.taxonomy.flip_parts)
        if self.paints:
            item["keypoints"] = person_column(window, "keypoints", row)
        return item

    def _nothing(self, name: str, device: torch.device) -> Tensor:
        """The column of no person."""
        parts, states = len(self.taxonomy.parts), len(self.taxonomy.states)
        shapes = dict(part_boxes=(parts, 4), part_scores=(parts,), state_scores=(parts, states))
        shape = shapes[name] if name in shapes else (getattr(self.network.model, f"{name}_dim"),)
        return torch.zeros(0, *shape, device=device)
