"""A narrow network of part states: shapes, masks, losses, gradients, and that it learns. K = 3, S = 4, C = 2."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import BaseDataElement
from torch import nn

from tpsparse.models.part_states import binary_relevance_loss, multi_label_state_loss
from tpsparse.registry import MODELS

PARTS, STATES, OBJECTS, CHANNELS, MAP = 3, 4, 2, 5, 6
SIDE = 32
NAN = float("nan")
ABSENT = [NAN] * 4


@MODELS.register_module()
class FourfoldBackbone(nn.Module):
    """One convolution of stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, MAP, 4, 4)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.layer(images).relu(),)


def make(seed=0, num_objects=OBJECTS, **changes):
    from mmengine.registry import init_default_scope

    init_default_scope("tpsparse")
    torch.manual_seed(seed)
    extractor = dict(roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=1), featmap_strides=[4])
    config = dict(
        backbone=dict(type="FourfoldBackbone"),
        embedding=dict(roi_extractor=extractor, in_channels=MAP, fc_channels=(16,), out_channels=CHANNELS, dropout=0.0),
        labels=dict(num_parts=PARTS, num_states=STATES, num_objects=num_objects),
        relevance=dict(channels=4, loss_weight=0.5),
        state=dict(positive_weight=2.0, loss_weight=3.0),
    )
    return MODELS.build(dict(type="PartStateNet", **config | changes))


def sample(persons=1, *, objects=((16.0, 4, 24, 12),), labels=None, parts=None, annotated=True):
    """Persons with a head and a left arm; all in the same place."""
    result = BaseDataElement(metainfo=dict(video="v", frame_index=1))
    result.boxes = torch.tensor([[2.0, 2, 20, 30]]).expand(persons, 4)
    result.part_boxes = torch.tensor([parts or [[4.0, 2, 12, 8], [2, 8, 8, 20], ABSENT]]).expand(persons, PARTS, 4)
    result.object_boxes = torch.tensor(objects).reshape(-1, 4)
    count = len(result.object_boxes)
    result.object_labels = torch.tensor(labels if labels is not None else [1] * count, dtype=torch.int64)
    result.object_scores = torch.full((count,), 0.75)
    if annotated:
        result.part_states = torch.tensor([[1, 3, -1]]).expand(persons, PARTS)
        result.relevance = torch.tensor([[1.0, 0.0, -1.0]]).expand(persons, PARTS)
    return result


def images(count, seed=1):
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def test_shapes_of_predictions():
    model = make().eval()
    samples = [sample(2), sample(0, objects=()), sample(1, objects=(), annotated=False)]
    with torch.no_grad():
        results = model(images(3), samples, mode="predict")
    for persons, result in zip((2, 0, 1), results):
        assert result.state_scores.shape == (persons, PARTS, STATES)
        assert result.relevance.shape == (persons, PARTS)
        assert result.part_visual.shape == (persons, PARTS * CHANNELS)
        assert result.person_objects.shape == (persons, OBJECTS + 1)
        assert result.video == "v"
    first = results[0]
    assert first.person_objects.tolist() == [[0, 0.75, 0.25]] * 2 and results[2].person_objects.tolist() == [[0, 0, 1]]
    # What belongs to the part without a box is 0, the rest is not.
    assert not first.state_scores[:, 2].any() and not first.relevance[:, 2].any()
    assert not first.part_visual.view(2, PARTS, CHANNELS)[:, 2].any()
    assert (first.state_scores[:, :2] > 0).all() and (first.relevance[:, :2] > 0).all()
    assert first.gt_part_states.tolist() == [[1, 3, -1]] * 2 and first.gt_relevance.tolist() == [[1, 0, -1]] * 2
    assert "gt_part_states" not in results[2] and "gt_relevance" not in results[2]


def test_frames_do_not_mix():
    model, pictures = make().eval(), images(3)
    samples = [sample(2), sample(0), sample(1, objects=((0.0, 20, 8, 28), (3, 3, 9, 9)), labels=[0, 1])]
    with torch.no_grad():
        together = model(pictures, samples, mode="predict")
        alone = [model(pictures[i : i + 1], samples[i : i + 1], mode="predict")[0] for i in range(3)]
    for a, b in zip(together, alone):
        for name in ("state_scores", "relevance", "part_visual", "person_objects"):
            torch.testing.assert_close(a.get(name), b.get(name))


def test_losses_are_those_of_the_outputs():
    model = make().eval()
    samples = [sample(2), sample(1)]
    parse = model(images(2), samples, mode="tensor")
    losses = model(images(2), samples, mode="loss")
    states, relevance = torch.tensor([[1, 3, -1]] * 3), torch.tensor([[1.0, 0, -1]] * 3)
    expected = 3.0 * multi_label_state_loss(parse.states, states, 2.0)
    torch.testing.assert_close(losses["loss_state"], expected)
    torch.testing.assert_close(losses["loss_relevance"], 0.5 * binary_relevance_loss(parse.relevance, relevance))
    right = (parse.states.argmax(dim=2) == states)[:, :2].float().mean()
    assert losses["acc_state"].item() == pytest.approx(100 * right.item())


def test_a_label_without_a_box_does_not_count():
    model = make().eval()
    given = [sample(1)]
    losses = model(images(1), given, mode="loss")
    given[0].part_states, given[0].relevance = torch.tensor([[1, 3, 2]]), torch.tensor([[1.0, 0, 1]])
    again = model(images(1), given, mode="loss")
    assert losses.keys() == again.keys() and all(losses[name] == again[name] for name in losses)
    assert model(images(1), given, mode="predict")[0].gt_part_states.tolist() == [[1, 3, -1]]


EMPTY = {
    "no persons": dict(persons=0),
    "nobody and nothing": dict(persons=0, objects=()),
    "no parts": dict(parts=[ABSENT] * 3),
    "no parts, no objects": dict(parts=[ABSENT] * 3, objects=()),
    "no objects": dict(objects=()),
}


@pytest.mark.parametrize("case", [*EMPTY, "no labels"])
@pytest.mark.parametrize("relevance", [True, False])
def test_every_parameter_has_a_gradient(case, relevance):
    model = make(**({} if relevance else dict(relevance=None)))
    given = sample(**EMPTY.get(case, {}))
    if case == "no labels":
        given.part_states, given.relevance = torch.full((1, PARTS), -1), torch.full((1, PARTS), -1.0)
    losses = model(images(1), [given], mode="loss")
    assert all(torch.isfinite(value) for value in losses.values())
    sum(value for name, value in losses.items() if name.startswith("loss")).backward()
    lacking = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert lacking == [] and all(weight.grad.isfinite().all() for weight in model.parameters())
    if case != "no objects":
        assert all(value == 0 for value in losses.values())


def test_the_object_matters_and_so_does_none():
    model, picture = make().eval(), images(1)
    near, far = sample(objects=((16.0, 4, 24, 12),)), sample(objects=((28.0, 28, 32, 32),))
    with torch.no_grad():
        nn.init.constant_(model.no_object, 0.3)
        scores = [model(picture, [given], mode="predict")[0].state_scores for given in (near, far, sample(objects=()))]
    assert not torch.allclose(scores[0], scores[1]) and torch.equal(scores[1], scores[2])


def test_objects_that_are_passed_over():
    picture = images(1)
    with torch.no_grad():
        # A name that the network does not know, and a network that knows none.
        assert make().eval()(picture, [sample(labels=[2])], mode="predict")[0].person_objects.tolist() == [[0, 0, 1]]
        nothing = make(num_objects=0).eval()(picture, [sample(labels=[0])], mode="predict")[0]
    assert nothing.person_objects.tolist() == [[1]] and nothing.state_scores.shape == (1, PARTS, STATES)


def test_reach_of_objects_is_all_there_is_to_choose():
    with pytest.raises(ValueError, match="expected reach alone"):
        make(objects=dict(reach=1.2, min_score=0.05))


def test_relevance_attends():
    """Relevance of 0 leaves a part only what its state head's biases say."""
    model, picture = make().eval(), images(1)
    nn.init.normal_(model.visual_head[0].bias)
    with torch.no_grad():
        model.relevance_head[2].bias[0] = -1e4
        parse = model(picture, [sample()], mode="tensor")
        torch.testing.assert_close(parse.visual[0, 0], model.visual_head[0].bias[0, 0].relu())
        assert not torch.allclose(parse.visual[0, 1], model.visual_head[0].bias[1, 0].relu())


def test_without_the_relevance_predictor():
    model = make(relevance=None).eval()
    assert not model.predicts_relevance
    assert "loss_relevance" not in model(images(1), [sample()], mode="loss")
    result = model(images(1), [sample()], mode="predict")[0]
    assert result.relevance.tolist() == [[1, 1, 0]] and "gt_relevance" not in result


def test_outputs_begin_at_one_of_all_states():
    head = make().state_head
    torch.testing.assert_close(head.bias.sigmoid(), torch.full_like(head.bias, 1 / STATES))
    assert not make(labels=dict(num_parts=PARTS, num_states=1, num_objects=0)).state_head.bias.any()


@pytest.mark.parametrize("whole", [False, True], ids=["autocast", "all weights"])
def test_half_precision(whole):
    model, samples = make().eval(), [sample(2), sample(0, objects=())]
    exact = model(images(2), samples, mode="predict")[0]
    low, pictures = (copy.deepcopy(model).bfloat16(), images(2).bfloat16()) if whole else (model, images(2))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not whole):
        losses = low(pictures, samples, mode="loss")
        found = low(pictures, samples, mode="predict")[0]
    sum(losses[name] for name in ("loss_state", "loss_relevance")).backward()
    assert all(weight.grad.isfinite().all() for weight in low.parameters())
    for name in ("state_scores", "relevance", "part_visual"):
        assert found.get(name).dtype == torch.float32
        torch.testing.assert_close(found.get(name), exact.get(name), atol=0.05, rtol=0.05)


def test_what_is_refused():
    model = make()
    with pytest.raises(ValueError, match="mode is 'train', expected tensor, loss or predict"):
        model(images(1), [sample()], mode="train")
    with pytest.raises(ValueError, match="mode tensor needs data_samples, which say where the parts are"):
        model(images(1))


def toy(count, seed):
    """A part is relevant where it is bright, then in state 2 where it is red and 1 where green; else in state 0."""
    rng = torch.Generator().manual_seed(seed)
    pictures, samples = 0.1 * torch.randn(count, 3, SIDE, SIDE, generator=rng), []
    for picture in pictures:
        given = sample()
        red, bright = torch.randint(2, (2, 2), generator=rng).bool()
        for part, (x0, y0, x1, y1) in enumerate(given.part_boxes[0, :2].int().tolist()):
            picture[0 if red[part] else 1, y0:y1, x0:x1] += 1
            picture[2, y0:y1, x0:x1] += bright[part].float()
        given.part_states = torch.cat([bright * (1 + red.long()), torch.tensor([-1])])[None]
        given.relevance = torch.cat([bright.float(), torch.tensor([-1.0])])[None]
        samples.append(given)
    return pictures, samples


def test_it_learns():
    extractor = dict(roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=1), featmap_strides=[4])
    embedding = dict(roi_extractor=extractor, in_channels=MAP, fc_channels=(32,), out_channels=16, dropout=0.0)
    model = make(embedding=embedding, relevance=dict(channels=16)).train()
    optimizer = OptimWrapper(torch.optim.Adam(model.parameters(), lr=0.01))
    for step in range(100):
        pictures, samples = toy(16, seed=step)
        losses = model(pictures, samples, mode="loss")
        optimizer.update_params(losses["loss_state"] + losses["loss_relevance"])
    pictures, samples = toy(32, seed=1000)
    with torch.no_grad():
        results = model.eval()(pictures, samples, mode="predict")
    states = torch.cat([r.state_scores.argmax(dim=2)[:, :2] == r.gt_part_states[:, :2] for r in results])
    relevance = torch.cat([(r.relevance > 0.5)[:, :2] == (r.gt_relevance > 0.5)[:, :2] for r in results])
    assert states.float().mean() > 0.95 and relevance.float().mean() > 0.95
