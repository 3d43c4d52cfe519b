from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper
from narrow_detector import NUM_ACTIONS, batch, build, draw, full_config, narrow_config

from tpsparse.errors import InputError
from tpsparse.registry import MODELS

PERSON = [30.0, 20.0, 70.0, 84.0]
# Table 3's rows: the detector, with GCP, with GCP and AP-RCNN.
VARIANTS = {"plain": {"instance_action": None, "context_action": None}, "gcp": {"instance_action": None}, "both": {}}


@pytest.fixture(autouse=True)
def one_thread():
    """Small convolutions gain nothing from threads, and on a busy machine wait for them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def predict(detector, data, rescale=True):
    detector.eval()
    data = detector.data_preprocessor(data, False)
    with torch.no_grad():
        return detector.predict(data["inputs"], data["data_samples"], rescale=rescale)


def losses_of(detector, data):
    detector.train()
    torch.manual_seed(1)
    data = detector.data_preprocessor(data, True)
    return detector.loss(data["inputs"], data["data_samples"])


def millions(model):
    detector = MODELS.build(ConfigDict(model))
    return sum(parameter.numel() for parameter in detector.parameters()) / 1e6


def test_full_size_without_branches_is_mmdets():
    model = full_config()
    model.update(VARIANTS["plain"])
    for head in model["roi_head"]["bbox_head"]:
        head["num_classes"] = 80
    assert millions(model) == pytest.approx(88.39, abs=0.01)


def test_branches_add_what_the_paper_implies():
    actions, model = 24, full_config(num_actions=24)
    # Four 3x3 convolutions of 256 channels and a linear layer; a linear layer on 2048 channels.
    instance = 4 * (256 * 256 * 9 + 256) + 256 * actions + actions
    context = 2048 * actions + actions
    sizes = {name: millions({**copy.deepcopy(model), **changes}) for name, changes in VARIANTS.items()}
    assert sizes["gcp"] - sizes["plain"] == pytest.approx(context / 1e6, abs=1e-9)
    assert sizes["both"] - sizes["gcp"] == pytest.approx(instance / 1e6, abs=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant_has_its_losses_and_predictions(variant):
    detector = build({**narrow_config(), **VARIANTS[variant]})
    frame = draw([PERSON], action=2)
    losses = losses_of(detector, batch(frame))
    assert ("loss_ins" in losses, "loss_img" in losses) == (variant == "both", variant != "plain")
    (sample,) = predict(detector, batch(frame))
    assert ("action_scores" in sample.pred_instances) == (variant == "both")
    assert ("action_features" in sample.pred_instances) == (variant == "both")
    assert ("context_feature" in sample, "context_scores" in sample) == (variant != "plain",) * 2


def test_without_branches_it_is_mmdets_detector():
    model = {**narrow_config(), **VARIANTS["plain"]}
    for head in model["roi_head"]["bbox_head"]:
        head["num_classes"] = 2
    ours = build(model)
    stock = {key: value for key, value in model.items() if key not in VARIANTS["plain"]}
    stock = build({**stock, "type": "CascadeRCNN"}, seed=5)
    stock.load_state_dict(ours.state_dict())
    data = batch(draw([PERSON], scale=(0.5, 0.5)), draw([], size=(64, 96)))
    data["data_samples"][0].gt_instances.labels += 1
    mine, theirs = losses_of(ours, copy.deepcopy(data)), losses_of(stock, copy.deepcopy(data))
    assert mine.keys() == theirs.keys()
    torch.testing.assert_close(ours.parse_losses(mine)[1], stock.parse_losses(theirs)[1])
    for a, b in zip(predict(ours, copy.deepcopy(data)), predict(stock, copy.deepcopy(data))):
        assert len(a.pred_instances) > 0
        assert torch.equal(a.pred_instances.bboxes, b.pred_instances.bboxes)
        assert torch.equal(a.pred_instances.scores, b.pred_instances.scores)


def test_total_loss_is_the_sum_of_equation_1():
    detector = build(narrow_config())
    losses = losses_of(detector, batch(draw([PERSON])))
    terms = ["loss_rpn_cls", "loss_rpn_bbox", "loss_ins", "loss_img"]
    terms += [f"s{stage}.loss_{kind}" for stage in range(3) for kind in ("cls", "bbox")]
    logged = {"s0.acc", "s1.acc", "s2.acc", "acc_ins", "acc_img"}
    assert set(losses) == set(terms) | logged
    expected = sum(sum(losses[t]) if isinstance(losses[t], list) else losses[t].sum() for t in terms)
    torch.testing.assert_close(detector.parse_losses(losses)[0], expected)


def test_trains_on_drawn_rectangles():
    detector, steps = build(narrow_config()), 30
    wrapper = OptimWrapper(torch.optim.Adam(detector.parameters(), lr=3e-3))
    generator = torch.Generator().manual_seed(0)
    logs = []
    for step in range(steps):
        shifts = torch.randint(0, 40, (2,), generator=generator).tolist()
        frames = [draw([[10 + x, 12, 50 + x, 80]], action=(step + i) % NUM_ACTIONS) for i, x in enumerate(shifts)]
        logs.append(detector.train_step(batch(*frames), wrapper))
    # The cascade's own losses rise for a while: the better the proposals, the more boxes there are to refine.
    for name, share in {"loss": 0.8, "loss_rpn_cls": 0.2, "loss_ins": 0.5, "loss_img": 0.95}.items():
        values = [log[name].item() for log in logs]
        assert sum(values[-6:]) < share * sum(values[:6]), (name, values)


@pytest.mark.parametrize(
    "frames",
    [[draw([PERSON])], [draw([PERSON]), draw([], size=(64, 160))], [draw([], action=-1)]],
    ids=["one", "two of different sizes, one empty", "one empty of unknown action"],
)
def test_shapes_of_predictions(frames):
    samples = predict(build(narrow_config()), batch(*frames))
    assert len(samples) == len(frames)
    for sample in samples:
        persons = len(sample.pred_instances)
        assert 0 < persons <= 10
        assert sample.pred_instances.bboxes.shape == (persons, 4)
        assert sample.pred_instances.scores.shape == (persons,)
        assert sample.pred_instances.labels.tolist() == [0] * persons
        assert sample.pred_instances.action_features.shape == (persons, 16)
        assert sample.pred_instances.action_scores.shape == (persons, NUM_ACTIONS)
        assert sample.context_feature.shape == (64,)
        assert sample.context_scores.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("nothing", ["no proposals", "no detections"])
def test_predicts_nobody(nothing):
    model = narrow_config()
    if nothing == "no proposals":
        model["test_cfg"]["rpn"]["min_bbox_size"] = 10_000
    else:
        model["test_cfg"]["rcnn"]["score_thr"] = 1.0
    for sample in predict(build(model), batch(draw([PERSON]), draw([PERSON], scale=(2.0, 2.0)))):
        assert sample.pred_instances.bboxes.shape == (0, 4)
        assert sample.pred_instances.action_features.shape == (0, 16)
        assert sample.pred_instances.action_scores.shape == (0, NUM_ACTIONS)
        assert sample.context_feature.shape == (64,)


def test_rois_are_in_network_pixels_and_boxes_in_the_frames():
    detector = build(narrow_config())
    frames = [draw([PERSON], scale=(0.5, 0.25)), draw([PERSON], action=1, scale=(2.0, 1.5))]
    # A detector just initialised sees little of its input: sharpen the features.
    for parameter in detector.instance_action.parameters():
        parameter.data *= 3
    inside = predict(detector, batch(*frames), rescale=False)
    outside = predict(detector, batch(*frames), rescale=True)
    with torch.no_grad():
        data = detector.data_preprocessor(batch(*frames), False)
        pyramid = detector.extract_feat(data["inputs"])
        features, _ = detector.instance_action(pyramid, [s.pred_instances.bboxes for s in inside])
    features = features.split([len(sample.pred_instances) for sample in inside])
    for near, far, manual, (sx, sy) in zip(inside, outside, features, [(0.5, 0.25), (2.0, 1.5)]):
        boxes = near.pred_instances.bboxes / torch.tensor([sx, sy, sx, sy])
        torch.testing.assert_close(far.pred_instances.bboxes, boxes)
        torch.testing.assert_close(near.pred_instances.action_features, manual)
        torch.testing.assert_close(far.pred_instances.action_features, manual, rtol=1e-4, atol=1e-5)
        with torch.no_grad():
            wrong, _ = detector.instance_action(tuple(level[:1] for level in pyramid), [boxes])
        assert not torch.allclose(wrong, manual, rtol=1e-2)


def test_backbone_and_neck_run_once():
    detector, calls = build(narrow_config()), []
    for module in (detector.backbone, detector.neck):
        module.register_forward_hook(lambda module, *_: calls.append(type(module).__name__))
    losses_of(detector, batch(draw([PERSON])))
    predict(detector, batch(draw([PERSON])))
    assert calls == ["ResNet", "FPN"] * 2


@pytest.mark.parametrize("action", [1, -1])
def test_every_parameter_gets_a_gradient_without_persons(action):
    detector = build(narrow_config())
    loss, _ = detector.parse_losses(losses_of(detector, batch(draw([], action=action), draw([], action=action))))
    loss.backward()
    assert torch.isfinite(loss)
    assert not [name for name, parameter in detector.named_parameters() if parameter.grad is None]


def test_samples_are_left_as_they_were():
    detector = build(narrow_config())
    data = detector.data_preprocessor(batch(draw([PERSON])), True)
    detector.loss(data["inputs"], data["data_samples"])
    truth = data["data_samples"][0].gt_instances
    assert truth.bboxes.tolist() == [PERSON] and truth.labels.tolist() == [0]


def test_frame_without_action_is_refused_with_the_remedy():
    frame = draw([PERSON])
    del frame["data_samples"].action
    with pytest.raises(InputError, match="drawn.jpg has no action"):
        losses_of(build(narrow_config()), batch(frame))
