"""Whole frames for detectors of mmdet, as ``mmdet.Resize``, ``LoadBoxes`` and ``mmdet.PackDetInputs`` prepare them.

Shapes: n frames of H x W pixels, h x w pixels of a resized one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mmcv
from mmdet.datasets.transforms import PackDetInputs, Resize
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from ...datasets.transforms import LoadBoxes
from .batch import Batch, described
from .pixels import resize_u8


@dataclass
class FramePreparation:
    """Frames resized into a size, or to it.

    Args:
        scale: (width, height).
        keep_ratio: Whether the proportions are kept, and ``scale`` is the size that the frame must fit into.
        meta_keys: What the samples tell of what is known of a frame.
    """

    scale: tuple[int, int]
    keep_ratio: bool
    meta_keys: tuple[str, ...]

    @classmethod
    def of(cls, steps: Sequence[Any]) -> FramePreparation | None:
        """From the transforms of a test pipeline; None where they are others, or do more."""
        if [type(step) for step in steps] != [Resize, LoadBoxes, PackDetInputs]:
            return None
        resize, _, pack = steps
        if resize.scale is None or (resize.backend, resize.interpolation) != ("cv2", "bilinear"):
            return None
        return cls(tuple(resize.scale), bool(resize.keep_ratio), tuple(pack.meta_keys))

    def __call__(self, images: Tensor) -> Batch:
        """Prepare frames (n, H, W, 3) uint8 RGB that are not annotated."""
        height, width = images.shape[1:3]
        size = mmcv.rescale_size((width, height), self.scale)[::-1] if self.keep_ratio else self.scale[::-1]
        factor = (size[1] / width, size[0] / height)
        known = dict(img_id=0, img_path="", ori_shape=(height, width), img_shape=size, scale_factor=factor)
        meta = {name: known[name] for name in self.meta_keys if name in known}
        return Batch(resize_u8(images, size), [_sample(meta) for _ in images])


def _sample(meta: dict[str, Any]) -> DetDataSample:
    return described(DetDataSample(gt_instances=InstanceData(), ignored_instances=InstanceData()), meta)
