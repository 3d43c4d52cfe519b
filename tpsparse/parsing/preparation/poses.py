"""Crops of persons for mmpose's top-down networks, as its ``GetBBoxCenterScale``, ``TopdownAffine`` and
``PackPoseInputs`` prepare what :func:`tpsparse.datasets.tasks.poses.pose_sample` gives.

Shapes: N persons, h x w pixels of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from mmengine.structures import InstanceData
from mmpose.datasets.transforms import GetBBoxCenterScale, PackPoseInputs, TopdownAffine
from mmpose.structures import PoseDataSample

from ...datasets.tasks.poses import boxes_for_mmpose
from ...structures.keypoints import FLIP_KEYPOINTS
from .batch import Batch, described
from .pixels import warp_u8

if TYPE_CHECKING:
    from ..window import Window


@dataclass
class PosePreparation:
    """Crops of a person's box, grown to the crop's proportions and padded.

    Args:
        padding: Factor on the box's sides.
        input_size: (width, height) of a crop.
        meta_keys: What the samples tell of what is known of a person.
    """

    padding: float
    input_size: tuple[int, int]
    meta_keys: tuple[str, ...]

    @classmethod
    def of(cls, steps: Sequence[Any]) -> PosePreparation | None:
        """From the transforms of a test pipeline; None where they are others, or do more."""
        if [type(step) for step in steps] != [GetBBoxCenterScale, TopdownAffine, PackPoseInputs]:
            return None
        place, affine, pack = steps
        if affine.use_udp or pack.pack_transformed:
            return None
        return cls(place.padding, tuple(affine.input_size), tuple(pack.meta_keys))

    def __call__(self, window: Window, rows: slice) -> Batch:
        """Prepare some persons of a window."""
        boxes = boxes_for_mmpose(window.persons["boxes"][rows].cpu().numpy())
        # As mmpose has them: float32, the longer side first grown by the padding, then the other to the proportions.
        sides = (boxes[:, 2:] - boxes[:, :2]) * self.padding
        centres = (boxes[:, 2:] + boxes[:, :2]) * 0.5
        scales = _to_proportions(sides, self.input_size[0] / self.input_size[1])
        matrices = warp_matrices(centres, scales, self.input_size)
        size = self.input_size[::-1]
        inputs = warp_u8(window.images, window.owner[rows].cpu().numpy(), matrices, size=size)
        shape = tuple(window.images.shape[1:3])
        samples = [self._sample(*each, shape) for each in zip(boxes, centres, scales)]
        return Batch(inputs, samples)

    def _sample(self, box: np.ndarray, centre: np.ndarray, scale: np.ndarray, shape: tuple[int, ...]) -> PoseDataSample:
        known = dict(id=0, img_id=0, img_path="", category_id=1, ori_shape=shape, img_shape=shape)
        known |= dict(input_size=self.input_size, input_center=centre, input_scale=scale)
        known["flip_indices"] = FLIP_KEYPOINTS.tolist()
        person = InstanceData(
            bboxes=box[None],
            bbox_scores=np.ones(1, dtype=np.float32),
            keypoints_visible=np.ones((1, 1, 1)),
            bbox_scales=scale[None],
        )
        sample = PoseDataSample(gt_instances=person, gt_instance_labels=InstanceData())
        return described(sample, {name: known[name] for name in self.meta_keys if name in known})


def _to_proportions(sides: np.ndarray, ratio: float) -> np.ndarray:
    """Widths and heights (N, 2), of which the one that is too short for ``ratio`` (width / height) has grown."""
    width, height = sides[:, :1], sides[:, 1:]
    wide, high = np.hstack([width, width / ratio]), np.hstack([height * ratio, height])
    return np.where(width > height * ratio, wide, high)


def warp_matrices(centres: np.ndarray, scales: np.ndarray, input_size: tuple[int, int]) -> np.ndarray:
    """Matrices (N, 2, 3) float64 of boxes that are not turned, the numbers of mmpose's ``get_warp_matrix``.

    Args:
        centres: (N, 2) float32.
        scales: (N, 2) float32, width and height that the crop shows.
        input_size: (width, height) of the crop.
    """
    source = np.empty((len(centres), 3, 2), dtype=np.float32)
    source[:, 0] = source[:, 1] = centres
    source[:, 1, 0] = centres[:, 0] + scales[:, 0].astype(np.float64) * -0.5
    source[:, 2] = _third_point(source[:, 0], source[:, 1])
    width, height = input_size
    target = np.array([[width * 0.5, height * 0.5], [0, height * 0.5], [0, 0]], dtype=np.float32)
    target[2] = _third_point(target[:1], target[1:2])[0]
    solved = [cv2.getAffineTransform(each, target) for each in source]
    return np.stack(solved) if solved else np.zeros((0, 2, 3))


def _third_point(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The corners (N, 2) of right angles at ``second`` (N, 2), as far from it as ``first`` (N, 2)."""
    way = first - second
    return second + np.stack([-way[:, 1], way[:, 0]], axis=1)
