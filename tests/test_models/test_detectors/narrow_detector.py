"""A narrow version of the DAP detector's config, and drawn frames to run it on."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData

from tpsparse.registry import MODELS

CONFIG = (
    Path(__file__).resolve().parents[3] / "configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"
)
NUM_ACTIONS = 3


def fill(value: Any, num_actions: int) -> Any:
    """A copy of ``value`` with the number of actions in place."""
    if isinstance(value, dict):
        return {key: fill(item, num_actions) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill(item, num_actions) for item in value)
    return num_actions if value == "@num_actions" else copy.deepcopy(value)


def full_config(num_actions: int = NUM_ACTIONS) -> dict[str, Any]:
    """The model of the config file, random weights."""
    model = fill(Config.fromfile(CONFIG).model.to_dict(), num_actions)
    model["backbone"]["init_cfg"] = None
    return model


def narrow_config() -> dict[str, Any]:
    """The same with ResNet-18 of 8 channels and 32 pyramid channels."""
    model = full_config()
    model["backbone"].update(depth=18, base_channels=8, frozen_stages=-1, norm_eval=False)
    model["neck"].update(in_channels=[8, 16, 32, 64], out_channels=32)
    model["rpn_head"].update(in_channels=32, feat_channels=32)
    model["roi_head"]["bbox_roi_extractor"]["out_channels"] = 32
    for head in model["roi_head"]["bbox_head"]:
        head.update(in_channels=32, fc_out_channels=64)
    for stage in model["train_cfg"]["rcnn"]:
        stage["sampler"]["num"] = 32
    model["train_cfg"]["rpn_proposal"].update(nms_pre=200, max_per_img=100)
    model["test_cfg"]["rpn"].update(nms_pre=200, max_per_img=100)
    model["instance_action"].update(in_channels=32, conv_channels=16)
    model["instance_action"]["roi_extractor"]["out_channels"] = 32
    model["context_action"]["in_channels"] = 64
    return model


def build(model: dict[str, Any], seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    detector = MODELS.build(ConfigDict(copy.deepcopy(model)))
    detector.init_weights()
    return detector


def draw(
    rectangles: list[list[float]], *, action: int = 0, size: tuple[int, int] = (96, 128), scale: tuple = (1.0, 1.0)
) -> dict[str, Any]:
    """One frame, grey with a rectangle a person in the colour of the action, and its sample."""
    image = torch.full((3, *size), 90, dtype=torch.uint8)
    for x0, y0, x1, y1 in rectangles:
        image[:, int(y0) : int(y1), int(x0) : int(x1)] = 20
        image[max(action, 0), int(y0) : int(y1), int(x0) : int(x1)] = 230
    original = (round(size[0] / scale[1]), round(size[1] / scale[0]))
    sample = DetDataSample(
        metainfo={
            "img_shape": size,
            "ori_shape": original,
            "scale_factor": scale,
            "action": action,
            "img_path": "drawn.jpg",
        }
    )
    boxes = torch.tensor(rectangles, dtype=torch.float32).reshape(-1, 4)
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.long))
    return {"inputs": image, "data_samples": sample}


def batch(*frames: dict[str, Any]) -> dict[str, list[Any]]:
    """What a data loader hands to the model."""
    return {key: [copy.deepcopy(frame[key]) for frame in frames] for key in ("inputs", "data_samples")}
