"""Masks of the fusion network, and values against a plain loop."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import BaseDataElement

from tpsparse.models.fusion import MultiModalFusion
from tpsparse.models.fusion.multi_modal import masked_max
from tpsparse.registry import MODELS

ACTIONS = 5


def make_model(**changes) -> MultiModalFusion:
    torch.manual_seed(0)
    config = dict(
        type="MultiModalFusion",
        num_actions=ACTIONS,
        frame_features=dict(context=6),
        person_features=dict(part=4, state=3),
        video_features=dict(swin=7),
        mlp_channels=(8, 5),
    )
    return MODELS.build({**config, **changes}).eval()


def make_video(frames: int, persons: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return dict(
        context=torch.randn(frames, 6, generator=generator),
        part=torch.randn(frames, persons, 4, generator=generator),
        state=torch.randn(frames, persons, 3, generator=generator),
        swin=torch.randn(7, generator=generator),
        person_mask=torch.rand(frames, persons, generator=generator) < 0.6,
    )


def samples(*actions: int) -> list[BaseDataElement]:
    return [BaseDataElement(metainfo=dict(action=action)) for action in actions]


def run(model: MultiModalFusion, *videos: dict) -> torch.Tensor:
    return model(model.data_preprocessor(dict(inputs=list(videos)))["inputs"])


def test_masked_max_by_hand():
    features = torch.tensor([[[1.0, 5.0], [3.0, 2.0], [9.0, 9.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_max(features, mask).tolist() == [[3.0, 5.0], [0.0, 0.0]]


@pytest.mark.parametrize("normalize", [False, True])
def test_logits_equal_a_plain_loop(normalize):
    model, video = make_model(normalize=normalize), make_video(4, 3)
    norm = {name: model.norms[name] if normalize else (lambda x: x) for name in model.feature_names}
    vectors = [torch.stack([model.mlps["context"](norm["context"](row)) for row in video["context"]]).amax(dim=0)]
    for name in ("part", "state"):
        frames = []
        for rows, mask in zip(video[name], video["person_mask"]):
            each = [model.mlps[name](norm[name](row)) for row, real in zip(rows, mask) if real]
            frames.append(torch.stack(each).amax(dim=0) if each else torch.zeros(5))
        vectors.append(torch.stack(frames).amax(dim=0))
    vectors.append(norm["swin"](video["swin"]))
    torch.testing.assert_close(run(model, video)[0], model.classifier(torch.cat(vectors)))


def test_order_of_persons_and_frames_does_not_matter():
    model, video = make_model(), make_video(5, 4)
    persons, frames = torch.tensor([2, 0, 3, 1]), torch.tensor([4, 2, 0, 1, 3])
    shuffled = dict(
        context=video["context"][frames],
        part=video["part"][frames][:, persons],
        state=video["state"][frames][:, persons],
        swin=video["swin"],
        person_mask=video["person_mask"][frames][:, persons],
    )
    torch.testing.assert_close(run(model, video), run(model, shuffled))


def test_padding_does_not_matter():
    model, short, long = make_model(normalize=True), make_video(2, 1), make_video(6, 5, seed=1)
    alone = torch.cat([run(model, short), run(model, long)])
    torch.testing.assert_close(run(model, short, long), alone)


def test_absent_persons_do_not_matter():
    model, video = make_model(), make_video(3, 4)
    changed = dict(video, part=video["part"].masked_fill(~video["person_mask"][..., None], 1e6))
    torch.testing.assert_close(run(model, video), run(model, changed))
    real = dict(video, part=video["part"].masked_fill(video["person_mask"][..., None], 1e6))
    assert not torch.allclose(run(model, video), run(model, real))


@pytest.mark.parametrize(("frames", "persons"), [(3, 0), (0, 0)])
def test_nobody_and_nothing(frames, persons):
    model, video = make_model().train(), make_video(frames, persons)
    batch = model.data_preprocessor(dict(inputs=[video], data_samples=samples(2)))
    losses = model(**batch, mode="loss")
    losses["loss_action"].backward()
    assert losses["loss_action"].isfinite()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


def test_loss_is_cross_entropy_of_the_labelled():
    model = make_model()
    videos = [make_video(2, 2, seed=seed) for seed in range(3)]
    batch = model.data_preprocessor(dict(inputs=videos, data_samples=samples(1, -1, 4)))
    log_p = model(batch["inputs"]).log_softmax(dim=1)
    losses = model(**batch, mode="loss")
    torch.testing.assert_close(losses["loss_action"], -(log_p[0, 1] + log_p[2, 4]) / 2)
    hits = (log_p[0].argmax() == 1).float() + (log_p[2].argmax() == 4).float()
    assert losses["acc_action"].item() == 50 * hits


def test_every_parameter_has_a_gradient_without_labels():
    model = make_model(normalize=True).train()
    batch = model.data_preprocessor(dict(inputs=[make_video(2, 2)], data_samples=samples(-1)))
    loss = model(**batch, mode="loss")["loss_action"]
    loss.backward()
    assert loss.item() == 0
    assert all(weight.grad is not None for weight in model.parameters())


def test_predict():
    model, video = make_model(), make_video(2, 2)
    batch = model.data_preprocessor(dict(inputs=[video], data_samples=samples(-1)))
    [result] = model(**batch, mode="predict")
    torch.testing.assert_close(result.action_scores, run(model, video)[0].softmax(dim=0))


def test_one_kind_of_feature_is_enough():
    video = make_video(3, 2)
    assert run(make_model(frame_features=None, person_features=None), video).shape == (1, ACTIONS)
    assert run(make_model(frame_features=None, video_features=None), video).shape == (1, ACTIONS)
    only_video = MultiModalFusion(num_actions=ACTIONS, video_features=dict(swin=7))
    assert run(only_video, dict(swin=torch.zeros(7))).shape == (1, ACTIONS)


def test_refusals():
    with pytest.raises(ValueError, match="no features"):
        MultiModalFusion(num_actions=ACTIONS)
    with pytest.raises(ValueError, match="swin is named twice"):
        MultiModalFusion(num_actions=ACTIONS, frame_features=dict(swin=2), video_features=dict(swin=3))
    model = make_model()
    with pytest.raises(ValueError, match="no feature context; it has"):
        run(model, {name: value for name, value in make_video(2, 2).items() if name != "context"})
    with pytest.raises(ValueError, match="needs data_samples"):
        model({}, mode="predict")
    with pytest.raises(ValueError, match="'guess'"):
        model({}, mode="guess")
