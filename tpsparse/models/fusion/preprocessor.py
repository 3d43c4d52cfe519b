"""Features of several videos as one batch. Shapes: N videos, T frames, P persons in a frame, D channels."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor
from torch.nn import functional

from ...registry import MODELS

PERSON_MASK, FRAME_MASK = "person_mask", "frame_mask"


@MODELS.register_module()
class FeaturePreprocessor(BaseDataPreprocessor):
    """Pads the features of videos to the most frames and persons among them, and marks what is real.

    A video's ``inputs`` map a feature's name to its array: (D,) for the video, (T, D) by frame, (T, P, D) by person
    with ``person_mask`` (T, P) beside it, as ``PackFeatures`` makes. There is always room for one frame and one
    person, so that a batch without anybody goes the ordinary way.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Batch ``data["inputs"]``: a list of the videos' dicts, or one dict of lists as mmengine collates them.

        Returns:
            ``inputs``, name to (N, D), (N, T, D) or (N, T, P, D) float32, with ``person_mask`` (N, T, P) and
            ``frame_mask`` (N, T) bool where there are persons and frames; ``data_samples`` as they came.

        Raises:
            ValueError: If the frames of a video's features differ in number, or persons come without a mask.
        """
        inputs = data["inputs"]
        if not isinstance(inputs, dict):
            inputs = {name: [video[name] for video in inputs] for name in inputs[0]}
        lists = {name: [torch.as_tensor(array) for array in arrays] for name, arrays in inputs.items()}
        _check_aligned(lists)
        batch = {name: _pad(tensors) for name, tensors in lists.items()}
        frames = _num_frames(lists)
        if frames:
            longest = max(1, *frames)
            batch[FRAME_MASK] = torch.arange(longest) < torch.tensor(frames)[:, None]
        return self.cast_data({"inputs": batch, "data_samples": data.get("data_samples")})


def _num_frames(lists: dict[str, list[Tensor]]) -> list[int]:
    timed = [tensors for tensors in lists.values() if tensors[0].ndim > 1]
    return [len(tensor) for tensor in timed[0]] if timed else []


def _check_aligned(lists: dict[str, list[Tensor]]) -> None:
    frames = _num_frames(lists)
    for name, tensors in lists.items():
        lengths = [len(tensor) for tensor in tensors]
        if tensors[0].ndim > 1 and lengths != frames:
            raise ValueError(f"feature {name} has {lengths} frames, another feature of the videos {frames}")
        if tensors[0].ndim == 3 and PERSON_MASK not in lists:
            raise ValueError(f"feature {name} is by person, so the videos need a {PERSON_MASK} (T, P)")


def _pad(tensors: list[Tensor]) -> Tensor:
    """Stack tensors that may differ in all axes that are neither channels nor of a video's single vector."""
    mask = tensors[0].dtype == torch.bool
    fixed = 0 if mask else 1
    free = tensors[0].ndim - fixed
    sizes = [max(1, *(tensor.shape[axis] for tensor in tensors)) for axis in range(free)]
    padded = []
    for tensor in tensors:
        missing = [size - tensor.shape[axis] for axis, size in enumerate(sizes)]
        after = [0, 0] * fixed + [width for gap in reversed(missing) for width in (0, gap)]
        padded.append(functional.pad(tensor if mask else tensor.float(), after))
    return torch.stack(padded)
