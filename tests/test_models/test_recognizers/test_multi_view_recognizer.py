"""Clips, crops and mirror images of a video: scores and features are means over all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import Compose, pseudo_collate

from tpsparse.models.recognizers import MultiViewRecognizer
from tpsparse.registry import MODELS

ACTIONS, FRAMES, SIDE = 3, 4, 16
LAST = [dict(type="mmaction.FormatShape", input_format="NCTHW"), dict(type="mmaction.PackActionInputs")]
PREPROCESSOR = dict(type="ActionDataPreprocessor", mean=[127.5] * 3, std=[127.5] * 3, format_shape="NCTHW")
BACKBONES = {
    "timesformer": (
        dict(type="TimeSformer", num_frames=FRAMES, img_size=SIDE, patch_size=8, embed_dims=12, num_heads=2)
        | dict(num_transformer_layers=1),
        dict(type="TimeSformerHead", num_classes=ACTIONS, in_channels=12, init_std=0.5, average_clips="prob"),
    ),
    "swin": (
        dict(type="SwinTransformer3D", arch=dict(embed_dims=4, depths=[1, 1], num_heads=[1, 2]), out_indices=(1,))
        | dict(pretrained2d=False, window_size=(2, 2, 2)),
        dict(type="I3DHead", num_classes=ACTIONS, in_channels=8, init_std=0.5, average_clips="prob"),
    ),
}


@pytest.fixture(params=BACKBONES)
def config(request):
    backbone, head = BACKBONES[request.param]
    return dict(type="FeatureRecognizer", data_preprocessor=PREPROCESSOR, backbone=backbone, cls_head=head)


def build(config, **changes):
    torch.manual_seed(0)
    model = MODELS.build({**config, **changes})
    model.init_weights()
    return model.eval()


def videos(count, views):
    generator = torch.Generator().manual_seed(0)
    shape = (count, views, 3, FRAMES, SIDE, SIDE)
    return list(torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8))


def run(model, inputs):
    samples = [ActionDataSample().set_gt_label(0) for _ in inputs]
    with torch.no_grad():
        return model.test_step(dict(inputs=inputs, data_samples=samples))


@pytest.mark.parametrize("views", [1, 12])
def test_views_of_each_video_are_averaged_on_their_own(config, views):
    model, inputs = build(config), videos(3, views)
    for result, video in zip(run(model, inputs), inputs):
        alone = [run(model, [clip[None]])[0] for clip in video]
        scores = sum(one.pred_score for one in alone) / views
        torch.testing.assert_close(result.pred_score, scores, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(result.feature, sum(one.feature for one in alone) / views, rtol=1e-4, atol=1e-5)
        assert result.pred_label.item() == scores.argmax().item()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("most", [1, 5, 12, 50])
def test_views_at_a_time_are_bounded_and_change_nothing(config, count, most):
    inputs, seen = videos(count, 12), []
    model = build(config, test_cfg=dict(max_testing_views=most))
    model.backbone.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    bounded = run(model, inputs)
    assert max(seen) == min(most, 12) and sum(seen) == 12 * count and len(bounded) == count
    for one, other in zip(run(build(config), inputs), bounded):
        torch.testing.assert_close(one.pred_score, other.pred_score, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(one.feature, other.feature, rtol=1e-4, atol=1e-5)


def mirrored_pipeline(ratios):
    flips = [dict(type="mmaction.Flip", flip_ratio=ratio) for ratio in ratios]
    return [dict(type="TestTimeAug", transforms=[flips, *([step] for step in LAST)])]


def clip_items(pipeline, clips):
    def item(clip):
        given = dict(imgs=[frame.copy() for frame in clip], num_clips=1, clip_len=FRAMES, modality="RGB", label=-1)
        return dict(given, img_shape=(SIDE, SIDE))

    return [Compose(pipeline)(item(clip)) for clip in clips]


def test_mirror_images(config, scope):
    clips = np.random.default_rng(0).integers(0, 256, (2, FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
    model = build(config)
    with torch.no_grad():
        [*merged] = MultiViewRecognizer(model).test_step(pseudo_collate(clip_items(mirrored_pipeline([0, 1]), clips)))
        alone = model.test_step(pseudo_collate(clip_items(LAST, clips)))
        other = model.test_step(pseudo_collate(clip_items(LAST, clips[:, :, :, ::-1])))
    for result, one, two in zip(merged, alone, other, strict=True):
        assert not torch.allclose(one.pred_score, two.pred_score, atol=1e-4)
        torch.testing.assert_close(result.pred_score, (one.pred_score + two.pred_score) / 2, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(result.feature, (one.feature + two.feature) / 2, rtol=1e-4, atol=1e-5)
        assert result.pred_label.tolist() == [result.pred_score.argmax().item()]


def test_one_view_is_the_recognizer_exactly(config, scope):
    clips = np.random.default_rng(0).integers(0, 256, (2, FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
    model = build(config)
    with torch.no_grad():
        merged = MultiViewRecognizer(model).test_step(pseudo_collate(clip_items(mirrored_pipeline([0]), clips)))
        plain = model.test_step(pseudo_collate(clip_items(LAST, clips)))
    for one, other in zip(plain, merged, strict=True):
        assert torch.equal(one.pred_score, other.pred_score) and torch.equal(one.feature, other.feature)
        assert torch.equal(one.pred_label, other.pred_label)
