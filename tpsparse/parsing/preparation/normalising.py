"""From prepared bytes to what a network computes on, as the data preprocessors of OpenMMLab's packages do it.

Shapes: n inputs of h x w pixels, in a batch padded to H x W; V views of a video, L frames of a clip.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import torch
from mmaction.models import ActionDataPreprocessor
from mmdet.models import DetDataPreprocessor
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmpose.models import PoseDataPreprocessor
from torch import Tensor

from .batch import Batch

KEPT_BYTES = 1 << 27
"""Of normalised inputs, up to which their memory is used again: fresh pages would take longer than the arithmetic."""
CLIPS = ("NCTHW", "NCHW")
IMAGES = (ImgDataPreprocessor, DetDataPreprocessor, PoseDataPreprocessor)


def as_batch(model: BaseModel, batch: Batch) -> dict[str, Any]:
    """A batch in the form that the network's own data preprocessor takes, as ``model.test_step`` wants it.

    That is a list of inputs: mmaction2's preprocessor takes nothing else, mmpose's tells another ``pad_shape`` of a
    stacked tensor, and mmdet's is slower with one.
    """
    return dict(inputs=list(batch.inputs.unbind()), data_samples=batch.samples)


class Preprocess:
    """What a network's data preprocessor makes of a batch in testing, bit for bit, without its copies.

    ``model(**preprocess(batch), mode="predict")`` is ``model.test_step(as_batch(model, batch))``. A preprocessor of
    another class, or on another device than a CPU, is called itself.

    The memory of the inputs is used again by the next call, of this network or another in the same thread: networks
    run one after the other, and a batch must have been through its network by then.

    Args:
        model: The network.
    """

    def __init__(self, model: BaseModel) -> None:
        self.model = model
        self.module = model.data_preprocessor

    def __call__(self, batch: Batch) -> dict[str, Any]:
        """``inputs`` (n, 3, H, W) or (n, V, 3, ...) float32 and ``data_samples``, as the network takes them."""
        if self.module.device.type != "cpu":
            return self.module(as_batch(self.model, batch), False)
        if type(self.module) in IMAGES:
            return dict(inputs=self._images(batch), data_samples=batch.samples)
        if type(self.module) is ActionDataPreprocessor and self.module.format_shape in CLIPS:
            return dict(inputs=self._clips(batch.inputs), data_samples=batch.samples)
        return self.module(as_batch(self.model, batch), False)

    def _images(self, batch: Batch) -> Tensor:
        """Images normalised and padded on the right and below; the samples are told what mmdet and mmpose tell them."""
        module, (height, width) = self.module, batch.inputs.shape[2:]
        padded = tuple(-(-side // module.pad_size_divisor) * module.pad_size_divisor for side in (height, width))
        images = _memory((len(batch), 3, *padded))
        inside = images[:, :, :height, :width]
        inside.copy_(batch.inputs[:, [2, 1, 0]] if module._channel_conversion else batch.inputs)
        if module._enable_normalize:
            inside.sub_(module.mean).div_(module.std)
        images[:, :, height:] = module.pad_value
        images[:, :, :, width:] = module.pad_value
        if type(module) is not ImgDataPreprocessor:
            for sample in batch.samples:
                sample.set_field(padded, "batch_input_shape", field_type="metainfo")
                sample.set_field(padded, "pad_shape", field_type="metainfo")
        return images

    def _clips(self, clips: Tensor) -> Tensor:
        """Clips (n, V, 3, L, h, w), or single frames without L, normalised."""
        module = self.module
        if module.to_rgb:
            clips = clips[:, :, [2, 1, 0]]
        if not module._enable_normalize:
            return clips.float() if module.to_float32 else clips
        return _memory(clips.shape).copy_(clips).sub_(module.mean).div_(module.std)


class _Kept(threading.local):
    """Memory that a thread has asked for before."""

    def __init__(self) -> None:
        self.numbers = torch.empty(0)


_KEPT = _Kept()


def _memory(shape: Sequence[int]) -> Tensor:
    """Room for float32 of a shape, the same as before where it is large enough."""
    count = math.prod(shape)
    if 4 * count > KEPT_BYTES:
        return torch.empty(*shape)
    if _KEPT.numbers.numel() < count:
        # What is made in inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            _KEPT.numbers = torch.empty(count)
    return _KEPT.numbers[:count].view(*shape)
