"""Frames of a clip, as mmaction2's transforms want them."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..video import open_video


@TRANSFORMS.register_module()
class DecodeFrames(BaseTransform):
    """Decode the frames that a sampling transform has chosen.

    Required keys: ``frame_inds`` (numbered from 1: mmaction2 adds ``start_index``), and ``source`` that they are read
    from, or the ``filename`` of a video.
    Added keys: ``imgs`` (a list of (H, W, 3) uint8 RGB), ``original_shape``, ``img_shape``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        source = results.pop("source", None) or open_video(results["filename"])
        frames = source.frames(results["frame_inds"].tolist())
        results["imgs"] = list(frames)
        results["original_shape"] = results["img_shape"] = frames.shape[1:3]
        return results
