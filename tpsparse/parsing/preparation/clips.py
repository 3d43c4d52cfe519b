"""Clips for mmaction2's recognizers, as the transforms behind ``DecodeFrames`` prepare them.

Shapes: n samples, M frames of each (its clips of L frames one after the other), F frames of all, each counted once;
C crops of a frame, V = C x clips views of a sample; h x w pixels of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from typing import Any

import mmcv
import numpy as np
import torch
from mmaction.datasets.transforms import CenterCrop, FormatShape, PackActionInputs, Resize, ThreeCrop
from mmaction.structures import ActionDataSample
from torch import Tensor

from ...datasets.transforms import DecodeFrames
from .batch import Batch, described
from .pixels import Pictures, Place, resize_places_u8

CHANGED = ("imgs", "keep_ratio", "scale_factor", "crop_bbox", "crop_quadruple", "input_shape", "lazy")
"""What the transforms leave in a sample besides ``img_shape``; a pipeline that packs it is not known."""


@dataclass(frozen=True)
class ClipPreparation:
    """Frames resized, maybe cropped, and put together to clips.

    Args:
        scale: (width, height) of a resized frame, or the (longer, shorter) side that it must fit into.
        keep_ratio: Which of the two ``scale`` is: the latter.
        crop: ``centre``, ``three`` along the longer side, or None for the whole frame.
        crop_size: (width, height) of a crop, if there is one.
        shape: ``NCTHW`` for clips, ``NCHW`` for single frames.
        meta_keys: What the samples tell of what is known of them.
    """

    scale: tuple[Any, Any]
    keep_ratio: bool
    crop: str | None
    crop_size: tuple[int, int] | None
    shape: str
    meta_keys: tuple[str, ...]

    @classmethod
    def of(cls, steps: Sequence[Any]) -> ClipPreparation | None:
        """From the transforms of a test pipeline, of which those behind ``DecodeFrames`` count.

        None where they are others, or do more.
        """
        kinds = [type(step) for step in steps]
        if DecodeFrames in kinds:
            steps = steps[kinds.index(DecodeFrames) + 1 :]
            kinds = [type(step) for step in steps]
        crop = {CenterCrop: "centre", ThreeCrop: "three"}.get(kinds[1]) if len(kinds) == 4 else None
        if kinds[:1] + kinds[-2:] != [Resize, FormatShape, PackActionInputs] or len(kinds) != 3 + (crop is not None):
            return None
        resize, form, pack = steps[0], steps[-2], steps[-1]
        size = None if crop is None else tuple(steps[1].crop_size)
        if not _is_plain(resize, form, pack) or not _fits(resize, crop, size) or getattr(steps[1], "lazy", False):
            return None
        return cls(tuple(resize.scale), resize.keep_ratio, crop, size, form.input_format, tuple(pack.meta_keys))

    def __call__(self, samples: Sequence[dict[str, Any]]) -> Batch:
        """Prepare samples as ``DecodeFrames`` leaves them; a frame that several of them have is prepared once.

        Args:
            samples: Dicts with ``imgs``, M frames (H, W, 3) uint8 RGB, ``num_clips``, ``clip_len`` (L), and ``label``
                and what else the pipeline packs; frames of the same number (``frame_inds``) of the same ``filename``
                are the same.

        Raises:
            ValueError: If there is no sample, or frames are of several sizes that do not become one.
        """
        rows, frames = _counted_once(samples)
        # Frames of one size go through together; those of another video may have another.
        prepared = [self.frames(list(run)) for _, run in groupby(frames, key=lambda frame: frame.shape)]
        if len({each.shape[1:] for each in prepared}) != 1:
            raise ValueError(f"frames of {len(samples)} samples have several sizes: prepare a video at a time")
        return self.clips(torch.cat(prepared) if len(prepared) > 1 else prepared[0], samples, rows)

    def of_frames(self) -> ClipPreparation:
        """What of it concerns single frames, the same for all that see frames alike."""
        return replace(self, shape="", meta_keys=())

    def frames(self, images: Pictures) -> Tensor:
        """Every frame's crops (F, C, 3, h, w) uint8, from frames (F, H, W, 3) of one size."""
        height, width = images[0].shape[:2]
        size = mmcv.rescale_size((width, height), self.scale)[::-1] if self.keep_ratio else self.scale[::-1]
        return resize_places_u8(images, size, self._places(*size))

    def clips(self, frames: Tensor, samples: Sequence[dict[str, Any]], rows: Sequence[Sequence[int]]) -> Batch:
        """Put prepared frames together.

        Args:
            frames: (F, C, 3, h, w), as :meth:`frames` gives them.
            samples: n dicts, as for the call; ``imgs`` may be missing.
            rows: Of each sample, the M frames of its clips among the F.
        """
        crops, size = frames.shape[1], tuple(frames.shape[-2:])
        length = samples[0]["clip_len"] if self.shape == "NCTHW" else 1
        views = len(rows[0]) // length
        inputs = frames.new_empty(len(samples), crops, views, 3, length, *size)
        for sample, wanted in zip(inputs, rows):
            for place, row in enumerate(wanted):
                sample[:, place // length, :, place % length] = frames[row]
        inputs = inputs.flatten(1, 2)
        packed = [self._sample(dict(sample, img_shape=size)) for sample in samples]
        return Batch(inputs if self.shape == "NCTHW" else inputs.squeeze(3), packed)

    def _places(self, height: int, width: int) -> list[Place]:
        """Where the crops lie in a resized frame."""
        if self.crop_size is None:
            return [(0, 0, height, width)]
        w, h = self.crop_size
        if self.crop == "centre":
            return [((height - h) // 2, (width - w) // 2, h, w)]
        down, right = (height - h) // 2, (width - w) // 2
        return [(step * down, step * right, h, w) for step in (0, 2, 1)]

    def _sample(self, known: dict[str, Any]) -> ActionDataSample:
        sample = ActionDataSample()
        if "label" in known:
            sample.set_gt_label(known["label"])
        return described(sample, {name: known[name] for name in self.meta_keys if name in known})


def _is_plain(resize: Resize, form: FormatShape, pack: PackActionInputs) -> bool:
    """Whether the transforms do nothing but resize linearly, put together and pack the frames."""
    linear = resize.interpolation == "bilinear" and not resize.lazy and isinstance(resize.scale, (tuple, list))
    packs = pack.collect_keys is None and not pack.algorithm_keys and not set(CHANGED) & set(pack.meta_keys)
    return linear and packs and form.input_format in ("NCTHW", "NCHW") and not form.collapse


def _fits(resize: Resize, crop: str | None, crop_size: tuple[int, int] | None) -> bool:
    """Whether crops of this size lie inside every resized frame; three of them reach from side to side of it."""
    if crop_size is None:
        return True
    if not resize.keep_ratio:
        return crop == "centre" and crop_size[0] <= resize.scale[0] and crop_size[1] <= resize.scale[1]
    shorter = resize.scale[1] if np.isinf(resize.scale[0]) else 0
    return max(crop_size) <= shorter and (crop == "centre" or min(crop_size) == shorter)


def _counted_once(samples: Sequence[dict[str, Any]]) -> tuple[list[list[int]], list[np.ndarray]]:
    """Of each sample the places of its M frames among the F frames of all; those frames."""
    if not samples:
        raise ValueError("there is no sample to prepare")
    places: dict[Any, int] = {}
    rows: list[list[int]] = []
    frames: list[np.ndarray] = []
    for position, sample in enumerate(samples):
        images = sample["imgs"]
        numbers = sample.get("frame_inds", ())
        known = len(numbers) == len(images) and "filename" in sample
        others = product([position], range(len(images)))
        names = [(sample["filename"], int(number)) for number in numbers] if known else list(others)
        for name, image in zip(names, images):
            if name not in places:
                places[name] = len(frames)
                frames.append(image)
        rows.append([places[name] for name in names])
    return rows, frames
