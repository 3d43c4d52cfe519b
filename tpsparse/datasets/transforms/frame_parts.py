"""Whole frames with persons, parts and objects, as the network of part states eats them.

Shapes: P persons, K parts, O objects, H x W pixels. Boxes are float32 ``xyxy`` in pixels, continuous coordinates; an
absent part is four NaN and has state and relevance -1.

The transforms work on a dict with ``img`` (H, W, 3) uint8 RGB, ``flip_parts`` (K,) the twin of each part, ``video``,
``frame_index`` from 1, ``boxes`` (P, 4), ``part_boxes`` (P, K, 4), ``object_boxes`` (O, 4), ``object_labels`` (O,) ids,
where objects were found and not annotated ``object_scores`` (O,), and where there is an annotation ``part_states``
(P, K) and ``relevance`` (P, K). They draw from numpy's global generator, which the data set seeds for every sample.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import BaseDataElement

from ...registry import TRANSFORMS
from ...structures import box_area, clip_boxes, flip_boxes

BOXES = ("boxes", "part_boxes", "object_boxes")
OF_PERSONS = ("boxes", "part_boxes", "part_states", "relevance")
OF_OBJECTS = ("object_boxes", "object_labels", "object_scores")
META = ("video", "frame_index", "flip_parts", "flipped", "action")
DTYPES = {"part_states": torch.int64, "object_labels": torch.int64}
"""All else is float32."""


@TRANSFORMS.register_module()
class ScaleFrame(BaseTransform):
    """Scales the picture to one size, whatever its proportions, and all boxes with it.

    Args:
        size: (height, width) in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = (int(size[0]), int(size[1]))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        height, width = results["img"].shape[:2]
        results["img"] = cv2.resize(results["img"], self.size[::-1], interpolation=cv2.INTER_LINEAR)
        scale = np.array([self.size[1] / width, self.size[0] / height] * 2, dtype=np.float32)
        for name in BOXES:
            results[name] = results[name] * scale
        return results


@TRANSFORMS.register_module()
class CropFrame(BaseTransform):
    """Cuts a part of the picture out, at a random place.

    Boxes are cut to it. A part of whose area less than ``min_visible`` is left becomes absent, a person or an object of
    which less is left is dropped.

    Args:
        size: (height, width) in pixels.
        min_visible: Share of a box's area; a box without area is not visible.
    """

    def __init__(self, size: tuple[int, int], min_visible: float = 0.5) -> None:
        self.size = (int(size[0]), int(size[1]))
        self.min_visible = min_visible

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut.

        Raises:
            ValueError: If the picture is smaller than the crop.
        """
        room = np.array(results["img"].shape[:2]) - self.size
        if (room < 0).any():
            raise ValueError(f"the picture has {results['img'].shape[:2]} pixels, the crop {self.size}: scale it first")
        top, left = np.random.randint(0, room + 1)
        results["img"] = results["img"][top : top + self.size[0], left : left + self.size[1]]
        offset = np.array([left, top] * 2, dtype=np.float32)
        visible = {}
        for name in BOXES:
            results[name], visible[name] = self._cut(results[name] - offset)
        _remove_parts(results, ~visible["part_boxes"])
        _keep(results, OF_PERSONS, visible["boxes"])
        _keep(results, OF_OBJECTS, visible["object_boxes"])
        return results

    def _cut(self, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (..., 4) cut to the crop, and whether enough of each is left (...)."""
        inside, area = clip_boxes(boxes, self.size), box_area(boxes)
        return inside, (area > 0) & (box_area(inside) >= self.min_visible * area)


@TRANSFORMS.register_module()
class FlipFrame(BaseTransform):
    """Mirrors the picture: a left part becomes a right part, with its box, state and relevance.

    Args:
        prob: Share of the samples that are mirrored.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.random() >= self.prob:
            return results
        results["img"] = cv2.flip(results["img"], 1)
        for name in BOXES:
            results[name] = flip_boxes(results[name], results["img"].shape[1])
        for name in ("part_boxes", "part_states", "relevance"):
            if name in results:
                results[name] = results[name][:, results["flip_parts"]]
        results["flipped"] = not results.get("flipped", False)
        return results


@TRANSFORMS.register_module()
class PackFrameParts(BaseTransform):
    """Packs a frame for :class:`tpsparse.models.part_states.PartStateNet`.

    Gives ``inputs``, a uint8 tensor (3, H, W), and ``data_samples`` with a tensor for each of the module's keys that
    the sample has, and what is in :data:`META` as metainfo. Objects that were annotated have the score 1.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results.setdefault("flipped", False)
        results.setdefault("object_scores", np.ones(len(results["object_boxes"]), dtype=np.float32))
        sample = BaseDataElement(metainfo={name: results[name] for name in META if name in results})
        for name in OF_PERSONS + OF_OBJECTS:
            if name in results:
                sample.set_field(torch.as_tensor(results[name]).to(DTYPES.get(name, torch.float32)), name)
        return {"inputs": torch.from_numpy(np.stack(cv2.split(results["img"]))), "data_samples": sample}


def _remove_parts(results: dict[str, Any], gone: np.ndarray) -> None:
    """Make parts (P, K) absent."""
    results["part_boxes"] = np.where(gone[..., None], np.float32(np.nan), results["part_boxes"])
    for name in ("part_states", "relevance"):
        if name in results:
            results[name] = np.where(gone, -1, results[name]).astype(results[name].dtype)


def _keep(results: dict[str, Any], names: tuple[str, ...], kept: np.ndarray) -> None:
    for name in names:
        if name in results:
            results[name] = results[name][kept]
