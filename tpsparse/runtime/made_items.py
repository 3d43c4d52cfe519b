"""Made items that a network's own pipeline prepares: noise of the right kind and size, for looking at its graphs.

Shapes: H x W pixels, T frames of a clip, P persons, K parts, D channels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.models.recognizers.base import BaseRecognizer
from mmdet.models.detectors import BaseDetector
from mmengine.config import Config
from mmengine.structures import BaseDataElement
from mmpose.models import TopdownPoseEstimator
from torch import nn

from ..datasets.tasks import clip_sample
from ..datasets.tasks.poses import pose_sample
from ..datasets.transforms.flow import DecodeFlow
from ..engine import config_taxonomy
from ..models.detectors import PartYOLOF
from ..models.fusion import FeatureClassifier
from ..models.fusion.preprocessor import PERSON_MASK
from ..models.part_parsing import ParsingHRNet
from ..models.part_states import PartStateNet
from ..structures.keypoints import KEYPOINTS

FRAME_SIZES = ((96, 128), (128, 96))
"""(height, width) of made frames: upright and lying, so that both sides of a detector's input differ."""
CLIP_SIZE = (128, 171)
CLIP_FRAMES = 300
FUSED = ((2, 2), (3, 4))
"""Frames and persons of the made videos whose features are classified."""


def made_items(
    model: nn.Module,
    cfg: Config,
    pipeline: Callable[[dict], dict],
    *,
    sizes: Sequence[tuple[int, int]] = FRAME_SIZES,
) -> list[dict[str, Any]]:
    """Prepared items for a network; between them differs what may differ from one input to the next.

    Args:
        model: The network, not its views.
        cfg: Its config, filled in.
        pipeline: Of its ``test_pipeline``.
        sizes: (height, width) of the frames of each item; of networks whose inputs are of one size, of the only one.
    """
    rng = np.random.default_rng(0)
    if isinstance(model, FeatureClassifier):
        return [_features(rng, model, *each) for each in FUSED]
    if isinstance(model, BaseRecognizer):
        sample = clip_sample(Path("video"), "video", CLIP_FRAMES, 30.0, label=-1)
        return [_without_flow(rng, pipeline)(dict(sample, source=_Noise(rng)))]
    if isinstance(model, (ParsingHRNet, PartYOLOF)):
        return [pipeline(_person(rng, cfg, sizes[0]))]
    if isinstance(model, TopdownPoseEstimator):
        return [pipeline(pose_sample(_picture(rng, sizes[0]), _box(sizes[0])))]
    of_frame = _parts if isinstance(model, PartStateNet) else _frame
    if not isinstance(model, (PartStateNet, BaseDetector)):
        raise TypeError(f"{type(model).__name__} is not a network of frames, persons, clips or features")
    return [pipeline(of_frame(rng, size, model)) for size in sizes]


class _Noise:
    """Stands for a video."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        return self.rng.integers(0, 256, (len(numbers), *CLIP_SIZE, 3), dtype=np.uint8)


def _without_flow(rng: np.random.Generator, pipeline: Any) -> Callable[[dict], dict]:
    """The pipeline with noise in place of optical flow, which would be read from files."""

    def flow(results: dict[str, Any]) -> dict[str, Any]:
        results.pop("source")
        images = rng.integers(0, 256, (2 * len(results["frame_inds"]), *CLIP_SIZE), dtype=np.uint8)
        return dict(results, imgs=list(images), modality="Flow", original_shape=CLIP_SIZE, img_shape=CLIP_SIZE)

    own = copy.copy(pipeline)
    own.transforms = [flow if isinstance(step, DecodeFlow) else step for step in pipeline.transforms]
    return own


def _picture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8)


def _box(size: tuple[int, int]) -> np.ndarray:
    """(4,) around the middle of a frame."""
    height, width = size
    return np.array([width / 4, height / 8, 3 * width / 4, 7 * height / 8], dtype=np.float32)


def _frame(rng: np.random.Generator, size: tuple[int, int], model: nn.Module) -> dict[str, Any]:
    return dict(img=_picture(rng, size), img_shape=size, ori_shape=size, img_id=0, img_path="")


def _person(rng: np.random.Generator, cfg: Config, size: tuple[int, int]) -> dict[str, Any]:
    points = np.concatenate([rng.uniform(0, min(size), (len(KEYPOINTS), 2)), np.ones((len(KEYPOINTS), 1))], axis=1)
    item = dict(img=_picture(rng, size), box=_box(size), video="", frame_index=1)
    return dict(item, keypoints=points.astype(np.float32), flip_parts=config_taxonomy(cfg).flip_parts)


def _parts(rng: np.random.Generator, size: tuple[int, int], model: PartStateNet) -> dict[str, Any]:
    """A frame of two or three persons, each with all parts, and one object if the network knows any."""
    persons = 2 + (size[0] > size[1])
    objects = min(model.num_objects, 1)
    boxes = np.tile(_box(size), (persons, 1))
    return dict(
        img=_picture(rng, size),
        video="",
        frame_index=1,
        flip_parts=np.arange(model.num_parts),
        boxes=boxes,
        part_boxes=np.repeat(boxes[:, None], model.num_parts, axis=1),
        object_boxes=boxes[:objects],
        object_scores=np.ones(objects, dtype=np.float32),
        object_labels=np.zeros(objects, dtype=np.int64),
    )


def _features(rng: np.random.Generator, model: FeatureClassifier, frames: int, persons: int) -> dict[str, Any]:
    """As ``PackFeatures`` leaves a video, everybody present in every frame."""
    shapes = model.feature_shapes(frames, persons)
    inputs: dict[str, np.ndarray] = {name: rng.random(shape, dtype=np.float32) for name, shape in shapes.items()}
    if any(array.ndim == 3 for array in inputs.values()):
        inputs[PERSON_MASK] = np.ones((frames, persons), dtype=bool)
    return dict(inputs=inputs, data_samples=BaseDataElement())
