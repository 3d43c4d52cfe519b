"""Blank inputs for a network, made by the test pipeline of its config.

Shapes: V views of an input (crops, clips, sizes, mirror images), T frames of a clip or an instance, L pairs of frames
of a clip of flow, P persons, H x W pixels, J = 17 keypoints, D channels of an instance's features.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.models.recognizers import Recognizer2D
from mmaction.models.recognizers.base import BaseRecognizer
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.model import BaseModel
from mmpose.models import TopdownPoseEstimator

from ...datasets.tasks import clip_sample
from ...datasets.tasks.poses import pose_sample
from ...datasets.transforms.clips import DecodeFrames
from ...datasets.transforms.flow import DecodeFlow
from ...engine import config_taxonomy
from ...errors import InputError
from ...models.detectors import PartYOLOF
from ...models.fusion import FeatureClassifier
from ...models.part_parsing import ParsingHRNet
from ...models.part_states import PartStateNet
from ...models.temporal_parsing import TemporalParser
from ...structures.keypoints import KEYPOINTS
from .encoder import EncoderNetwork

CLIP_FRAME = (256, 340)
"""(height, width) of the frames that a clip is cut from; it decides nothing once they are scaled and cropped."""
CLIP_FRAMES = 300
INSTANCE_FRAMES = 282
"""Of an action instance: 9.4 s, the mean in TAPOS (Shao et al., 2020, section 3.2), at 30 frames a second."""
PERSON = (256, 192)
"""(height, width) of a person before the crop is made of them; it decides nothing."""
Shape = tuple[int, ...]


def unit_of(model: BaseModel) -> str:
    """What one test input of a network is: a ``frame``, a ``person``, a ``video`` or an ``instance``."""
    if isinstance(model, TemporalParser):
        return "instance"
    if isinstance(model, (ParsingHRNet, PartYOLOF, TopdownPoseEstimator)):
        return "person"
    return "video" if isinstance(model, (BaseRecognizer, FeatureClassifier)) else "frame"


def looks_of(model: BaseModel) -> int:
    """How often a network looks at each view by itself: twice where it also takes the mirror image."""
    if isinstance(model, TopdownPoseEstimator):
        return 2 if model.test_cfg.get("flip_test") else 1
    return 2 if getattr(model, "flip_test", False) else 1


def asked_shape(model: BaseModel, shape: Sequence[int], *, cfg: Config, config: str | Path) -> Shape:
    """The shape that the user asks for, with the channels.

    Args:
        model: The network.
        shape: Without channels.
        cfg: Its config.
        config: How the user called it.

    Raises:
        InputError: If it has not the axes of the network's inputs.
    """
    axes = _axes(model)
    if len(shape) != len(axes.split()) or min(shape) < 1:
        raise InputError(f"config {config} takes an input of {axes}, not {text(shape)}: correct --shape")
    if isinstance(model, FeatureClassifier):
        return tuple(shape)
    if isinstance(model, TemporalParser):
        return instance_shape(cfg, *shape)
    channels = model.backbone.in_channels if isinstance(model, (Recognizer2D, EncoderNetwork)) else 3
    return (channels, *shape)


def instance_shape(cfg: Config, num_frames: int = INSTANCE_FRAMES) -> Shape:
    """(T, D) of an instance's features; (T,) for a parser that does not look at them."""
    return (num_frames, cfg.model.channels) if "channels" in cfg.model else (num_frames,)


def pipeline_shapes(model: BaseModel, cfg: Config) -> Counter[Shape]:
    """Shapes of the views that the config's test pipeline makes of one blank input, as the network is given them."""
    if isinstance(model, FeatureClassifier):
        dataset = cfg.test_dataloader.dataset
        return Counter([(dataset.num_frames, dataset.max_persons)])
    if isinstance(model, TemporalParser):
        return Counter([instance_shape(cfg)])
    is_encoder = isinstance(model, EncoderNetwork)
    pipeline = Compose(copy.deepcopy(model.pipeline if is_encoder else cfg.test_pipeline))
    pipeline.transforms = [_without_decoding(step) for step in pipeline.transforms]
    item = pipeline(_blank_item(model, cfg))
    # Several views of a picture come as lists; those of a clip are in one array.
    several = isinstance(item["inputs"], list)
    inputs, samples = (item[key] if several else [item[key]] for key in ("inputs", "data_samples"))
    shapes: Counter[Shape] = Counter()
    for one, sample in zip(inputs, samples):
        batch = model.data_preprocessor(dict(inputs=[one], data_samples=[sample]), False)["inputs"][0]
        in_clips = is_encoder or isinstance(model, BaseRecognizer)
        views, view = (batch.shape[0], batch.shape[1:]) if in_clips else (1, batch.shape)
        shapes[tuple(view)] += views
    return shapes


def text(shape: Sequence[int]) -> str:
    """A shape as it is read."""
    return "x".join(map(str, shape))


def _axes(model: BaseModel) -> str:
    """Names of the axes of an input, but for the channels."""
    if isinstance(model, FeatureClassifier):
        return "T P"
    if isinstance(model, TemporalParser):
        return "T"
    return "T H W" if isinstance(model, BaseRecognizer) and not isinstance(model, Recognizer2D) else "H W"


def _blank_item(model: BaseModel, cfg: Config) -> dict[str, Any]:
    if isinstance(model, EncoderNetwork):
        frames = np.arange(1, max(model.flow_pairs, 1) + 1)
        item = dict(frame_inds=frames, clip_len=len(frames), num_clips=1, modality="RGB")
        return item if model.flow_pairs else _blank_frames(item)  # flow is the first step's to decode
    if isinstance(model, BaseRecognizer):
        return clip_sample(Path("video"), "video", CLIP_FRAMES, 30.0, label=-1)
    height, width = PERSON
    box = np.array([0, 0, width, height], dtype=np.float32)
    if isinstance(model, TopdownPoseEstimator):
        return pose_sample(_blank(PERSON), box)
    if isinstance(model, (ParsingHRNet, PartYOLOF)):
        item = dict(box=box, keypoints=np.zeros((len(KEYPOINTS), 3)), video="", frame_index=1)
        return dict(item, img=_blank(PERSON), flip_parts=config_taxonomy(cfg).flip_parts)
    if isinstance(model, PartStateNet):
        nobody = dict(boxes=_blank_boxes(0), part_boxes=_blank_boxes(0, model.num_parts))
        nothing = dict(object_boxes=_blank_boxes(0), object_labels=np.zeros(0, dtype=np.int64))
        return dict(nobody, **nothing, img=_blank(PERSON), video="", frame_index=1)
    # A picture of the largest scale: what other shapes give is smaller.
    width, height = max(_scales(cfg.test_pipeline))
    sizes = dict(img_shape=(height, width), ori_shape=(height, width))
    return dict(sizes, img=_blank((height, width)), img_id=0, img_path="")


def _scales(node: Any) -> Iterator[tuple[int, int]]:
    """Every ``scale`` (width, height) in a pipeline, however deep."""
    if isinstance(node, dict):
        if "scale" in node:
            yield tuple(node["scale"])
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from _scales(each)


def _without_decoding(step: Callable) -> Callable:
    if isinstance(step, DecodeFlow):
        return _blank_flow
    return _blank_frames if isinstance(step, DecodeFrames) else step


def _blank_frames(results: dict[str, Any]) -> dict[str, Any]:
    images = [_blank(CLIP_FRAME) for _ in results["frame_inds"]]
    return dict(results, imgs=images, original_shape=CLIP_FRAME, img_shape=CLIP_FRAME)


def _blank_flow(results: dict[str, Any]) -> dict[str, Any]:
    images = [_blank(CLIP_FRAME)[..., 0] for _ in results["frame_inds"] for _ in "xy"]
    return dict(results, imgs=images, modality="Flow", original_shape=CLIP_FRAME, img_shape=CLIP_FRAME)


def _blank_boxes(*axes: int) -> np.ndarray:
    return np.zeros((*axes, 4), dtype=np.float32)


def _blank(size: tuple[int, int]) -> np.ndarray:
    return np.zeros((*size, 3), dtype=np.uint8)
