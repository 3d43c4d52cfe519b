"""Crops of persons for part networks, as ``CropPerson``, ``PaintKeypoints`` and a packing transform prepare them.

Shapes: N persons, K parts, J keypoints, h x w pixels of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement

from ...datasets.transforms import CropPerson, PackPart, PackPartBoxes, PaintKeypoints
from ...datasets.transforms.paint import paint, person_size
from ...structures.keypoints import is_confident
from .batch import Batch, described
from .pixels import Draw, warp_u8

if TYPE_CHECKING:
    from ..window import Window


@dataclass
class PersonPreparation:
    """Crops that hold a person with some surroundings.

    Args:
        crop: How they are cut.
        paint: How keypoints are painted on them; None where they are not.
        boxes: Whether the samples are mmdet's, as :class:`PackPartBoxes` gives them.
        flip_parts: (K,) the twin of each part, for networks that look at the mirrored crop; None leaves it out.
    """

    crop: CropPerson
    paint: PaintKeypoints | None
    boxes: bool
    flip_parts: np.ndarray | None = None

    @classmethod
    def of(cls, steps: Sequence[Any], flip_parts: np.ndarray | None = None) -> PersonPreparation | None:
        """From the transforms of a test pipeline; None where they are others, or draw at random."""
        kinds = [type(step) for step in steps]
        if not kinds or kinds[:-1] not in ([CropPerson], [CropPerson, PaintKeypoints]):
            return None
        if kinds[-1] not in (PackPart, PackPartBoxes):
            return None
        painter = steps[1] if len(steps) == 3 else None
        if painter is not None and (painter.jitter or painter.dropout or painter.drop_all):
            return None
        return cls(steps[0], painter, kinds[-1] is PackPartBoxes, flip_parts)

    def __call__(self, window: Window, rows: slice) -> Batch:
        """Prepare some persons of a window, with their keypoints where they are painted."""
        boxes = window.persons["boxes"][rows].cpu().numpy()
        owner = window.owner[rows].cpu().numpy()
        size = self.crop.input_size
        crops = grow_boxes(boxes, size, self.crop.padding)
        places = crops.astype(np.float32)
        known = [dict(crop=place, frame_index=window.numbers[frame]) for place, frame in zip(places, owner)]
        draw = None
        if self.paint is not None:
            keypoints = in_crops(window.persons["keypoints"][rows].cpu().numpy(), crops, size[1])
            seen = is_confident(keypoints[..., 2], self.paint.min_score).any(axis=1).tolist()
            known = [dict(each, painted=painted) for each, painted in zip(known, seen)]
            draw = self._painter(boxes, places, keypoints)
        inputs = warp_u8(window.images, owner, crop_matrices(crops, size[1]), size=size, draw=draw)
        return Batch(inputs, [self._sample(each) for each in known])

    def _painter(self, boxes: np.ndarray, crops: np.ndarray, keypoints: np.ndarray) -> Draw:
        assert self.paint is not None
        radius, min_score = self.paint.radius, self.paint.min_score

        def draw(person: int, picture: np.ndarray) -> None:
            size = person_size(boxes[person], crops[person], picture.shape[1])
            paint(picture, keypoints[person], radius * size, min_score=min_score)

        return draw

    def _sample(self, known: dict[str, Any]) -> BaseDataElement:
        facts = dict(known, video="", flipped=False)
        if self.flip_parts is not None:
            facts["flip_parts"] = self.flip_parts
        if not self.boxes:
            return described(BaseDataElement(), facts)
        size = self.crop.input_size
        return described(DetDataSample(), dict(facts, img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0)))


def grow_boxes(boxes: np.ndarray, size: tuple[int, int], padding: float) -> np.ndarray:
    """:func:`tpsparse.datasets.transforms.crop.grow_box` of many boxes (N, 4): (N, 4) float64, the same numbers."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    proportions = np.array([size[1], size[0]], dtype=np.float64)
    half = proportions * (sides / proportions).max(axis=1, keepdims=True) * padding / 2
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def crop_matrices(crops: np.ndarray, width: int) -> np.ndarray:
    """(N, 2, 3) by which OpenCV cuts crops (N, 4) of continuous pixels to ``width`` pixels, as in ``CropPerson``."""
    scale = width / (crops[:, 2] - crops[:, 0])
    matrices = np.zeros((len(crops), 2, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = scale
    # Continuous coordinates have a pixel's centre at half; OpenCV has it at whole numbers.
    matrices[:, :, 2] = scale[:, None] * (0.5 - crops[:, :2]) - 0.5
    return matrices


def in_crops(keypoints: np.ndarray, crops: np.ndarray, width: int) -> np.ndarray:
    """Keypoints (N, J, 3) of the frame in pixels of crops (N, 4) that are ``width`` wide: float64 of float32."""
    scale = width / (crops[:, 2] - crops[:, 0])
    moved = np.array(keypoints, dtype=np.float64)
    moved[..., :2] = (moved[..., :2] - crops[:, None, :2]) * scale[:, None, None]
    return moved.astype(np.float32).astype(np.float64)
