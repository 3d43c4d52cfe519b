"""One person's crop as the part networks eat it.

Shapes: K parts, J keypoints, H x W pixels of an image, h x w of a crop. Boxes are float ``xyxy`` in pixels, continuous
coordinates; an absent part is four NaN and has state -1. A keypoint is (x, y, score).

The transforms work on a dict with ``img`` (H, W, 3) uint8 RGB, ``box`` (4,) of the person, ``flip_parts`` (K,)
the twin of each part, ``video``, ``frame_index`` from 1, ``keypoints`` (J, 3) where there is a pose and, where there is
an annotation, ``part_boxes`` (K, 4) and ``part_states`` (K,). They draw from numpy's global generator, which the data
set seeds for every sample.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement, InstanceData

from ...registry import TRANSFORMS
from ...structures import clip_boxes, flip_boxes, is_present
from ...structures.keypoints import flip_keypoints

META = ("crop", "flip_parts", "flipped", "video", "frame_index", "painted")
SMALLEST_SIDE = 1.0
"""Pixels of the crop; a part of which less than that is left inside it is not trained on."""


@TRANSFORMS.register_module()
class JitterBox(BaseTransform):
    """Moves and resizes the person's box as an imperfect detector would; goes before :class:`CropPerson`.

    Args:
        scale: Width and height are each multiplied by up to ``1 + scale`` or divided by as much.
        shift: The centre moves by up to this share of the width and height.
        prob: Share of the samples that are changed.
    """

    def __init__(self, scale: float = 0.2, shift: float = 0.1, prob: float = 1.0) -> None:
        self.scale = scale
        self.shift = shift
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.random() >= self.prob:
            return results
        box = np.asarray(results["box"], dtype=np.float32)
        size = box[2:] - box[:2]
        centre = (box[:2] + box[2:]) / 2 + size * np.random.uniform(-self.shift, self.shift, 2)
        size = size * (1 + self.scale) ** np.random.uniform(-1, 1, 2)
        results["box"] = np.concatenate([centre - size / 2, centre + size / 2]).astype(np.float32)
        return results


@TRANSFORMS.register_module()
class CropPerson(BaseTransform):
    """Cuts the person out, with some surroundings, without changing proportions.

    Sets ``img`` to the crop, ``crop`` (4,) to its place in the image, ``part_boxes`` and ``keypoints`` to pixels of the
    crop. What lies beyond the image is black.

    Args:
        input_size: (height, width) of the crop.
        padding: Factor on the person's box, once it is grown to the crop's proportions about its centre.
    """

    def __init__(self, input_size: tuple[int, int], padding: float = 1.25) -> None:
        self.input_size = (input_size[0], input_size[1])
        self.padding = padding

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        crop = grow_box(results["box"], self.input_size, self.padding)
        height, width = self.input_size
        scale = width / (crop[2] - crop[0])
        # Continuous coordinates have a pixel's centre at half; OpenCV has it at whole numbers.
        move = scale * (0.5 - crop[:2]) - 0.5
        matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        results["img"] = cv2.warpAffine(results["img"], matrix, (width, height), flags=cv2.INTER_LINEAR)
        results["crop"] = crop.astype(np.float32)
        if "part_boxes" in results:
            boxes = (np.asarray(results["part_boxes"], dtype=np.float64) - np.tile(crop[:2], 2)) * scale
            results["part_boxes"] = boxes.astype(np.float32)
        if "keypoints" in results:
            keypoints = np.array(results["keypoints"], dtype=np.float64)
            keypoints[:, :2] = (keypoints[:, :2] - crop[:2]) * scale
            results["keypoints"] = keypoints.astype(np.float32)
        return results


@TRANSFORMS.register_module()
class FlipPerson(BaseTransform):
    """Mirrors the crop: a left part becomes a right part, with its box and state, a left keypoint a right one.

    Goes before :class:`PaintKeypoints`, whose colours tell left from right.

    Args:
        prob: Share of the samples that are mirrored.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Mirror what there is.

        Raises:
            ValueError: If the sample has been painted already.
        """
        if "painted" in results:
            raise ValueError(
                "the crop is painted already, in colours of left and right: put FlipPerson before PaintKeypoints"
            )
        if np.random.random() >= self.prob:
            return results
        twins = results["flip_parts"]
        results["img"] = cv2.flip(results["img"], 1)  # NumPy's reversed copy takes fifty times as long
        if "part_boxes" in results:
            results["part_boxes"] = flip_boxes(results["part_boxes"], results["img"].shape[1])[twins]
        if "part_states" in results:
            results["part_states"] = results["part_states"][twins]
        if "keypoints" in results:
            results["keypoints"] = flip_keypoints(results["keypoints"], results["img"].shape[1])
        results["flipped"] = not results.get("flipped", False)
        return results


@TRANSFORMS.register_module()
class JitterColor(BaseTransform):
    """Changes brightness, contrast and saturation, each by a random factor about 1.

    Args:
        brightness: Greatest distance of the factor from 1.
        contrast: The same, about mid grey.
        saturation: The same, about each pixel's own grey.
    """

    def __init__(self, brightness: float = 0.3, contrast: float = 0.3, saturation: float = 0.3) -> None:
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        reach = np.array([self.brightness, self.contrast, self.saturation])
        brightness, contrast, saturation = 1 + np.random.uniform(-reach, reach)
        tones = (np.arange(256) * brightness - 127.5) * contrast + 127.5
        image = cv2.LUT(results["img"], np.clip(np.rint(tones), 0, 255).astype(np.uint8))
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        results["img"] = cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)
        return results


@TRANSFORMS.register_module()
class PackPart(BaseTransform):
    """Packs a crop for :class:`tpsparse.models.part_parsing.ParsingHRNet`.

    Gives ``inputs``, a uint8 tensor (3, h, w), and ``data_samples`` with tensors ``part_boxes`` (K, 4) and
    ``part_states`` (K,) where there is an annotation, and what is in :data:`META` as metainfo.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results.setdefault("flipped", False)
        sample = BaseDataElement(metainfo={name: results[name] for name in META if name in results})
        if "part_boxes" in results:
            sample.part_boxes = torch.as_tensor(results["part_boxes"], dtype=torch.float32)
        if "part_states" in results:
            sample.part_states = torch.as_tensor(results["part_states"], dtype=torch.int64)
        return {"inputs": _channels_first(results["img"]), "data_samples": sample}


@TRANSFORMS.register_module()
class PackPartBoxes(BaseTransform):
    """Packs a crop for a detector of mmdet whose classes are the parts: :class:`tpsparse.models.detectors.PartYOLOF`.

    Gives ``inputs``, a uint8 tensor (3, h, w), and ``data_samples``, mmdet's, with metainfo ``img_shape`` and
    ``ori_shape`` (h, w), ``scale_factor`` (1, 1) and what is in :data:`META`. Where there is an annotation it has
    ``gt_instances`` (``bboxes`` in pixels of the crop and cut to it, ``labels`` part ids), without parts of which
    nothing is left inside the crop, and ``part_boxes`` (K, 4), as :class:`PackPart` has them.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results.setdefault("flipped", False)
        shape = results["img"].shape[:2]
        meta = {name: results[name] for name in META if name in results}
        sample = DetDataSample(metainfo=dict(meta, img_shape=shape, ori_shape=shape, scale_factor=(1.0, 1.0)))
        if "part_boxes" in results:
            sample.gt_instances = _part_instances(results["part_boxes"], shape)
            sample.part_boxes = torch.as_tensor(results["part_boxes"], dtype=torch.float32)
        return {"inputs": _channels_first(results["img"]), "data_samples": sample}


def _part_instances(part_boxes: np.ndarray, shape: tuple[int, int]) -> InstanceData:
    """The parts (K, 4) that are there and reach into a crop of ``shape`` (height, width), cut to it."""
    boxes = clip_boxes(np.asarray(part_boxes, dtype=np.float32), shape)
    sides = boxes[:, 2:] - boxes[:, :2]
    labels = np.flatnonzero(is_present(boxes) & (sides >= SMALLEST_SIDE).all(axis=1))
    return InstanceData(bboxes=torch.from_numpy(boxes[labels]), labels=torch.from_numpy(labels))


def _channels_first(image: np.ndarray) -> torch.Tensor:
    # Four times as fast as a transposed copy.
    return torch.from_numpy(np.stack(cv2.split(image)))


def grow_box(box: np.ndarray, size: tuple[int, int], padding: float) -> np.ndarray:
    """The smallest box (4,) float64 about the centre of ``box`` (4,) that has the proportions of ``size``, padded.

    A side of less than one pixel counts as one, so that a degenerate box still gives a crop.

    Args:
        box: Of a person, in pixels of the image.
        size: (height, width).
        padding: Factor on the result's sides.
    """
    box = np.asarray(box, dtype=np.float64)
    sides = np.maximum(box[2:] - box[:2], 1.0)
    proportions = np.array([size[1], size[0]], dtype=np.float64)
    half = proportions * (sides / proportions).max() * padding / 2
    centre = (box[:2] + box[2:]) / 2
    return np.concatenate([centre - half, centre + half])
