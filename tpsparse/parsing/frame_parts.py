"""Parts and objects by a detector on whole frames, the parts given to the persons found before.

Shapes: T frames, P persons and O objects in a frame, K parts, C names in the list of objects, N detections.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import STAGES
from ..structures import FrameObjects, FrameParse
from ..taxonomy import Taxonomy
from .assigning import assign_parts, parts_by_person
from .base import Stage
from .batches import frame_results
from .network import load_network


@STAGES.register_module()
class DetectPartsAndObjects(Stage):
    """Run a detector of K + C classes on every frame; the parts are first, as in ``TPSPartObjectDataset``.

    Each person gets at most one box of a part, see :func:`assign_parts`. Objects belong to the frame.

    Args:
        config: Config that the detector was trained with.
        checkpoint: Its weights: a file, a URL or the folder of its run.
        batch_frames: Frames in a batch.
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
        batch_frames: int = 8,
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
        self.batch_frames = batch_frames
        self.min_inside = min_inside
        self.max_objects = max_objects
        self.min_object_score = min_object_score

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Give part boxes and scores of every person, and the objects of the frame."""
        for frame, result in frame_results(self.network, images, frames, self.batch_frames):
            found = result.pred_instances.cpu().numpy()
            boxes, scores = found.bboxes.astype(np.float32), found.scores.astype(np.float32)
            self._write(frame, boxes, scores, found.labels.astype(np.int64))

    def _write(self, frame: FrameParse, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> None:
        """Sort detections (N, 4), (N,), (N,) into the record."""
        part = labels < self.num_parts
        given = boxes[part], scores[part], labels[part]
        owners = assign_parts(*given, frame.boxes, min_inside=self.min_inside)
        frame.part_boxes, frame.part_scores = parts_by_person(*given, owners, (len(frame), self.num_parts))
        rows = np.flatnonzero(~part & (scores >= self.min_object_score))
        rows = rows[np.argsort(-scores[rows], kind="stable")[: self.max_objects]]
        frame.objects = FrameObjects(boxes[rows], scores[rows], labels[rows] - self.num_parts)
