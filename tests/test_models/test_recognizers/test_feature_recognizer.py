"""Features of mmaction2's recognizers, against the backbone run by hand."""

from __future__ import annotations

import pytest
import torch
from mmaction.structures import ActionDataSample

from tpsparse.models.recognizers.feature_recognizer import pool_views
from tpsparse.registry import MODELS

ACTIONS = 3
PREPROCESSOR = dict(type="ActionDataPreprocessor", mean=[127.5] * 3, std=[127.5] * 3, format_shape="NCTHW")

TIMESFORMER = dict(
    type="FeatureRecognizer",
    data_preprocessor=PREPROCESSOR,
    backbone=dict(
        type="TimeSformer",
        num_frames=2,
        img_size=16,
        patch_size=8,
        embed_dims=12,
        num_heads=2,
        num_transformer_layers=1,
    ),
    cls_head=dict(type="TimeSformerHead", num_classes=ACTIONS, in_channels=12, average_clips="prob"),
)
SWIN = dict(
    type="FeatureRecognizer",
    data_preprocessor=PREPROCESSOR,
    backbone=dict(
        type="SwinTransformer3D",
        arch=dict(embed_dims=4, depths=[1, 1], num_heads=[1, 2]),
        pretrained2d=False,
        window_size=(2, 2, 2),
        out_indices=(1,),
    ),
    cls_head=dict(type="I3DHead", num_classes=ACTIONS, in_channels=8, average_clips="prob"),
)
TSN = dict(
    type="FeatureRecognizer2D",
    data_preprocessor=dict(PREPROCESSOR, format_shape="NCHW"),
    backbone=dict(type="mmpose.ResNet", depth=18, base_channels=4, stem_channels=4, out_indices=(3,)),
    cls_head=dict(type="TSNHead", num_classes=ACTIONS, in_channels=32, average_clips="prob"),
)


def make_samples(count: int) -> list[ActionDataSample]:
    return [ActionDataSample().set_gt_label(i % ACTIONS) for i in range(count)]


def make_model(config: dict):
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model


@pytest.mark.parametrize(("config", "width"), [(TIMESFORMER, 12), (SWIN, 8)], ids=["timesformer", "swin"])
def test_feature_is_the_mean_over_places_and_clips(config, width):
    model = make_model(config).eval()
    clips = torch.randint(0, 256, (2, 3, 3, 2, 16, 16), generator=torch.Generator().manual_seed(0))  # 2 videos, 3 clips
    batch = model.data_preprocessor(dict(inputs=list(clips.to(torch.uint8)), data_samples=make_samples(2)))
    with torch.no_grad():
        results = model(**batch, mode="predict")
        for result, video in zip(results, batch["inputs"]):
            maps = [model.backbone(clip[None])[0].reshape(width, -1).mean(dim=1) for clip in video]
            torch.testing.assert_close(result.feature, torch.stack(maps).mean(dim=0), atol=1e-5, rtol=1e-4)
            assert result.feature.shape == (width,)
            assert result.pred_score.sum().item() == pytest.approx(1, abs=1e-5)


def test_scores_are_upstreams():
    model = make_model(TIMESFORMER).eval()
    clips = torch.randn(1, 2, 3, 2, 16, 16)
    with torch.no_grad():
        [ours] = model(clips, make_samples(1), mode="predict")
        [upstream] = super(type(model), model).predict(clips, make_samples(1))
    assert torch.equal(ours.pred_score, upstream.pred_score) and "feature" not in upstream


def test_training_is_upstreams():
    model = make_model(TIMESFORMER)
    losses = model(torch.randn(2, 1, 3, 2, 16, 16), make_samples(2), mode="loss")
    assert losses["loss_cls"].requires_grad


def test_segments_of_frames():
    config = dict(TSN, backbone=dict(type="ResNet", depth=18, pretrained=None))
    config["cls_head"] = dict(TSN["cls_head"], in_channels=512)
    model = make_model(config).eval()
    frames = torch.randint(0, 256, (2, 4, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    batch = model.data_preprocessor(dict(inputs=list(frames), data_samples=make_samples(2)))
    with torch.no_grad():
        results = model(**batch, mode="predict")
        expected = model.backbone(batch["inputs"][1]).mean(dim=(0, 2, 3))
    torch.testing.assert_close(results[1].feature, expected, atol=1e-5, rtol=1e-4)


def test_pool_views_joins_several_outputs():
    fast, slow = torch.ones(4, 2, 3, 5, 5), torch.arange(4.0).view(4, 1)
    pooled = pool_views((fast, slow), 2)
    assert pooled.tolist() == [[1, 1, 0.5], [1, 1, 2.5]]
