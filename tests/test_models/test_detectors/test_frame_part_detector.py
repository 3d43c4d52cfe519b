"""The quick detector of parts and objects: what it learns of frames without boxes. K = 2 parts, C = 1 object."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from tpsparse.engine import load_config
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

CONFIG = tiny.QUICK / "part_detection" / "scu_faster-rcnn_vgg11_1xb8_synthetic.py"
NAMES = Taxonomy(("left_arm", "right_arm"), ("none",), ("lunge",), ("ball",))


@pytest.fixture(scope="module")
def detector():
    init_default_scope("tpsparse")
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG, taxonomy=NAMES).model)
    model.init_weights()
    return model.train()


def loss_of(model, *boxes_of_frames):
    from mmdet.structures import DetDataSample

    rng = np.random.default_rng(0)
    images, samples = [], []
    for boxes in boxes_of_frames:
        images.append(torch.from_numpy(rng.integers(0, 255, (3, 64, 96), dtype=np.uint8)))
        annotated = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        sample = DetDataSample(metainfo=dict(img_shape=(64, 96), ori_shape=(64, 96), scale_factor=(1.0, 1.0)))
        sample.gt_instances = InstanceData(bboxes=annotated, labels=torch.arange(len(boxes)))
        samples.append(sample)
    model.zero_grad()
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples), True)
    losses, parts = model.parse_losses(model.loss(data["inputs"], data["data_samples"]))
    losses.backward()
    return losses, parts


def test_classes_are_parts_and_objects(detector):
    assert detector.roi_head.bbox_head.fc_cls.out_features == 2 + 1 + 1  # and the background
    assert detector.roi_head.bbox_head.fc_reg.out_features == 4 * 3


ONE, TWO = [[10, 10, 30, 40]], [[10, 10, 30, 40], [50, 20, 60, 30]]


@pytest.mark.parametrize("frames", [([], []), (ONE, []), (ONE, TWO)], ids=["none", "some", "all"])
def test_frames_without_boxes_are_learned_from(detector, frames):
    """The loss is a number, and every weight has a gradient, which training in several processes waits for."""
    loss, parts = loss_of(detector, *frames)
    assert torch.isfinite(loss) and loss > 0
    without = [name for name, weight in detector.named_parameters() if weight.requires_grad and weight.grad is None]
    assert without == []
    assert all(torch.isfinite(weight.grad).all() for weight in detector.parameters())
    # The same losses in every process, or they could not be averaged for the log.
    assert set(parts) == {"loss", "loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "acc"}
    assert (parts["loss_bbox"] > 0) == (frames[0] != [])
