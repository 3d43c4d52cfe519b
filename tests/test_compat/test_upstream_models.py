"""The networks of the four packages train and predict on a CPU with the mends: small versions of each kind in use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tpsparse  # noqa: F401 - sets up the mends

mmdet_models = pytest.importorskip("mmdet.models")
mmpose_models = pytest.importorskip("mmpose.models")
mmaction_models = pytest.importorskip("mmaction.models")
from mmdet.structures import DetDataSample  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import MODELS, DefaultScope  # noqa: E402
from mmengine.structures import InstanceData, PixelData  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def build(scope: str, settings: dict) -> torch.nn.Module:
    """Build a model where the package's names are known, whatever scope another test has left behind."""
    with DefaultScope.overwrite_default_scope(scope):
        return MODELS.build(settings)


def packaged(module, path: str) -> Config:
    config = Config.fromfile(Path(module.__file__).parents[1] / ".mim" / "configs" / path)
    config.model.backbone.pop("init_cfg", None)
    return config.model


def small_yolof():
    model = packaged(mmdet_models, "yolof/yolof_r50-c5_8xb8-1x_coco.py")
    model.backbone.update(depth=18, norm_eval=False)
    model.neck.update(in_channels=512, out_channels=32, block_mid_channels=16, num_residual_blocks=1)
    model.bbox_head.update(in_channels=32, num_classes=2, reg_decoded_bbox=True)
    return model


def small_cascade():
    model = packaged(mmdet_models, "cascade_rcnn/cascade-rcnn_r101_fpn_1x_coco.py")
    model.backbone.update(depth=18)
    model.neck.update(in_channels=[64, 128, 256, 512], out_channels=16)
    model.rpn_head.update(in_channels=16, feat_channels=16)
    model.roi_head.bbox_roi_extractor.out_channels = 16
    for head in model.roi_head.bbox_head:
        head.update(in_channels=16, fc_out_channels=16, num_classes=2)
    # Untrained scores lie near 1/3.
    model.test_cfg.rcnn.score_thr = 0.0
    return model


@pytest.mark.parametrize("config", [small_yolof, small_cascade])
def test_detectors_train_and_predict(config):
    model = build("mmdet", config())
    size = (128, 160)
    sample = DetDataSample(
        metainfo={
            "img_shape": size,
            "ori_shape": size,
            "pad_shape": size,
            "batch_input_shape": size,
            "scale_factor": (1, 1),
        }
    )
    boxes = torch.tensor([[10, 10, 80, 100.0], [60, 30, 140, 120]])
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([0, 1]))
    image = torch.randn(1, 3, *size)
    model.train()
    losses, _ = model.parse_losses(model.loss(image, [sample]))
    losses.backward()
    assert torch.isfinite(losses)
    assert model.backbone.layer4[0].conv1.weight.grad.abs().sum() > 0
    model.eval()
    with torch.no_grad():
        found = model.predict(image, [sample])[0].pred_instances
    assert len(found) > 0
    assert torch.isfinite(found.bboxes).all()


def small_tsn():
    model = packaged(mmaction_models, "recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb.py")
    model.backbone.update(depth=18, pretrained=None)
    model.cls_head.update(in_channels=512, num_classes=24)
    return model, (1, 8, 3, 32, 32)


def small_timesformer():
    model = packaged(mmaction_models, "recognition/timesformer/timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb.py")
    model.backbone.update(
        pretrained=None, img_size=32, embed_dims=24, num_heads=2, num_transformer_layers=1, num_frames=4
    )
    model.cls_head.update(in_channels=24, num_classes=24)
    return model, (1, 1, 3, 4, 32, 32)


def small_swin():
    path = "recognition/swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py"
    model = packaged(mmaction_models, path)
    model.backbone = {
        "type": "SwinTransformer3D",
        "arch": {"embed_dims": 12, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 2, 4]},
        "pretrained": None,
    }
    model.cls_head.update(in_channels=96, num_classes=24)
    return model, (1, 1, 3, 4, 64, 64)


@pytest.mark.parametrize("config", [small_tsn, small_timesformer, small_swin])
def test_recognizers_train_and_predict(config):
    from mmaction.structures import ActionDataSample

    settings, shape = config()
    model = build("mmaction", settings)
    sample = ActionDataSample().set_gt_label(3)
    clip = torch.randn(*shape)
    model.train()
    loss = model.loss(clip, [sample])["loss_cls"]
    loss.backward()
    assert torch.isfinite(loss)
    model.eval()
    with torch.no_grad():
        scores = model.predict(clip, [sample])[0].pred_score
    assert scores.shape == (24,)
    torch.testing.assert_close(scores.sum(), torch.tensor(1.0))


def small_hrnet():
    model = packaged(mmpose_models, "body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py")
    for name, branches in (("stage2", 2), ("stage3", 3), ("stage4", 4)):
        channels = tuple(4 * 2**k for k in range(branches))
        model.backbone.extra[name].update(num_modules=1, num_blocks=(1,) * branches, num_channels=channels)
    model.head.update(in_channels=4)
    return model


def test_pose_estimator_trains_and_predicts():
    model = build("mmpose", small_hrnet())
    centre = {"input_center": np.array([32.0, 48]), "input_scale": np.array([64.0, 96])}
    sample = PoseDataSample(
        metainfo={"img_shape": (96, 64), "input_size": (64, 96), "flip_indices": list(range(17)), **centre}
    )
    sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
    sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
    sample.gt_fields = PixelData(heatmaps=torch.rand(17, 64, 48))
    crop = torch.randn(1, 3, 256, 192)
    loss = model.loss(crop, [sample])["loss_kpt"]
    loss.backward()
    assert torch.isfinite(loss)
    assert model.backbone.conv1.weight.grad.abs().sum() > 0
    model.eval()
    with torch.no_grad():
        found = model.predict(crop, [sample])[0].pred_instances
    assert found.keypoints.shape == (1, 17, 2)


def test_drn_refuses_to_be_built():
    from mmaction.models.localizers import DRN

    if "tpsparse" not in DRN.__init__.__code__.co_filename:
        pytest.skip("mmaction2 has its own DRN")
    with pytest.raises(NotImplementedError, match="lacks the localizer DRN: install mmaction2 from a source checkout"):
        build("mmaction", {"type": "DRN", "vocab_size": 10})
    with pytest.raises(NotImplementedError, match="DRN"):
        DRN()
