"""Parts and objects by a detector on whole frames, the parts given to the persons found before.

Shapes: T frames, P persons and O objects in a frame, K parts, C names in the list of objects, N detections.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..registry import STAGES
from ..taxonomy import Taxonomy
from .assigning import assign_parts, parts_by_person
from .base import NetworkStage
from .batches import frame_results
from .network import load_network
from .window import OBJECT_FIELDS, Window


@STAGES.register_module()
class DetectPartsAndObjects(NetworkStage):
    """Run a detector of K + C classes on every frame; the parts are first, as in ``TPSPartObjectDataset``.

    Each person gets at most one box of a part, see :func:`assign_parts`. Objects belong to the frame.

    Args:
        config: Config that the detector was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        min_inside: Share of a part's area that must lie in the box of its person, in (0, 1].
        max_objects: Objects kept of a frame, those of the highest scores.
        min_object_score: Least score of an object; the least of a part is the network's own.
        options: Overrides of the config in the stage.
    """

    needs = ("boxes",)
    gives = ("part_boxes", "part_scores", "objects")

    def __init__(
        self,
        *,
        config: str,
        checkpoint: str,
        taxonomy: Taxonomy,
        min_inside: float = 0.5,
        max_objects: int = 10,
        min_object_score: float = 0.3,
        options: dict[str, Any] | None = None,
    ) -> None:
        if not 0 < min_inside <= 1 or max_objects < 0:
            raise ValueError(
                f"min_inside is {min_inside} and max_objects {max_objects}; the one is in (0, 1], the other not below 0"
            )
        self.network = load_network(config, checkpoint, taxonomy, options)
        self.num_parts = len(taxonomy.parts)
        self.min_inside = min_inside
        self.max_objects = max_objects
        self.min_object_score = min_object_score

    def parse_window(self, window: Window) -> None:
        """Give part boxes and scores of every person, and the objects of the frame."""
        results = frame_results(self.network, window, self.runtime.batch_frames)
        found = [
            (each.pred_instances.bboxes, each.pred_instances.scores, each.pred_instances.labels) for each in results
        ]
        persons = window.persons["boxes"].split(window.counts)
        parts = [self._parts(*frame, boxes) for frame, boxes in zip(found, persons)]
        objects = [self._objects(*frame) for frame in found]
        device = window.images.device
        for place, name in enumerate(("part_boxes", "part_scores")):
            window.persons[name] = torch.from_numpy(np.concatenate([each[place] for each in parts])).to(device)
        counts = torch.tensor([len(each[0]) for each in objects], device=device)
        window.object_owner = torch.arange(len(objects), device=device).repeat_interleave(counts)
        window.objects = dict(zip(OBJECT_FIELDS, map(torch.cat, zip(*objects))))

    def _parts(self, boxes: Tensor, scores: Tensor, labels: Tensor, persons: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (P, K, 4) and scores (P, K) of parts, among detections (N, 4), (N,), (N,); a rule of single boxes."""
        part = labels < self.num_parts
        given = boxes[part].float().cpu().numpy(), scores[part].float().cpu().numpy(), labels[part].cpu().numpy()
        owners = assign_parts(*given, persons.cpu().numpy(), min_inside=self.min_inside)
        return parts_by_person(*given, owners, (len(persons), self.num_parts))

    def _objects(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and ids of the surest objects among detections."""
        rows = torch.nonzero((labels >= self.num_parts) & (scores >= self.min_object_score))[:, 0]
        rows = rows[scores[rows].argsort(descending=True, stable=True)[: self.max_objects]]
        return boxes[rows].float(), scores[rows].float(), labels[rows] - self.num_parts
