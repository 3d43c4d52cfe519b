"""Optical flow of a clip, as mmaction2's transforms of grey images want it, and as its networks of flow do.

Shapes: V views of a video (clips times crops), L pairs of a clip, height H and width W.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from ...errors import InputError
from ...registry import TRANSFORMS
from ..flow import FlowSettings, compute_flow, find_flow


@TRANSFORMS.register_module()
class DecodeFlow(BaseTransform):
    """Read the flow from the frames that a sampling transform has chosen to the frames behind them.

    The last frame of a video takes the pair in which it is the second, the only frame of one has flow 128: no motion.
    mmaction2's ``Flip`` mirrors flow rightly in the form given here (image by image, every other one horizontal), and
    not in that of its own ``RawFrameDecode``.

    Required keys: ``frame_inds`` (numbered from 1: mmaction2 adds ``start_index``), ``filename`` of the video.
    Added keys: ``imgs`` (a list of (H, W) uint8: x, y of the first pair, x, y of the second ...), ``modality`` "Flow",
    ``original_shape``, ``img_shape``.

    Args:
        short_side: Of the frames that flow is between, see :class:`.FlowSettings`.
        bound: Pixels that 0 and 255 stand for.
        effort: "full" or "quick".
        compute: Compute flow that was not extracted, or cannot be used, from the video, and say so once. For parsing
            runs; in training that would take days.

    Raises:
        InputError: If flow was not extracted with these settings from this video, and ``compute`` is off; or if the
            video cannot be read.
    """

    def __init__(self, short_side: int = 256, bound: int = 20, *, effort: str = "full", compute: bool = False) -> None:
        self.settings = FlowSettings(short_side, bound, effort)
        self.settings.check("DecodeFlow")
        self.compute = compute
        self.told = False

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        results.pop("source", None)  # frames, which are of no use here
        flow = self._flow(Path(results["filename"]), results["frame_inds"].tolist())
        results["imgs"] = [np.ascontiguousarray(pair[..., axis]) for pair in flow for axis in (0, 1)]
        results["modality"] = "Flow"
        results["original_shape"] = results["img_shape"] = flow.shape[1:3]
        return results

    def _flow(self, path: Path, numbers: list[int]) -> np.ndarray:
        try:
            return find_flow(path, self.settings).flow(numbers)
        except InputError as error:
            if not self.compute:
                raise
            if not self.told:
                print_log(f"{error}; computed where it is wanted, which is slow", "current", logging.WARNING)
                self.told = True
        return compute_flow(path, numbers, self.settings)


@TRANSFORMS.register_module()
class FormatFlow(BaseTransform):
    """Stack the flow of each clip into the channels of one image, as two-stream networks take it.

    Required keys: ``imgs`` as :class:`DecodeFlow` gives them, cropped and resized or not, and ``clip_len``, L.
    Changed and added keys: ``imgs`` (V, 2 L, H, W) uint8, ``input_shape``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        imgs = np.stack(results["imgs"])
        results["imgs"] = imgs.reshape(-1, 2 * results["clip_len"], *imgs.shape[1:])
        results["input_shape"] = results["imgs"].shape
        return results
