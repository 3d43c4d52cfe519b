"""The detector on several views of a frame: against the detector itself, and against merging by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.dataset import Compose, pseudo_collate
from mmengine.structures import InstanceData
from narrow_detector import build, narrow_config

from tpsparse.models.detectors import MultiViewDetector

SIZE = (64, 96)
META_KEYS = ("img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
PACK = dict(type="mmdet.PackDetInputs", meta_keys=META_KEYS)


def resize(scale):
    return dict(type="mmdet.Resize", scale=scale, keep_ratio=True)


def flip(prob):
    return dict(type="mmdet.RandomFlip", prob=prob)


def frames(count=2):
    """Images of noise whose left half is bright."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 120, (count, *SIZE, 3), dtype=np.uint8)
    images[:, :, : SIZE[1] // 2] += 100
    return images


def items(pipeline, images):
    def item(image):
        return dict(img=image.copy(), img_shape=SIZE, ori_shape=SIZE, img_id=0, img_path="")

    return [Compose(pipeline)(item(image)) for image in images]


def run(model, pipeline, images):
    with torch.no_grad():
        return model.test_step(pseudo_collate(items(pipeline, images)))


def views(sizes, probs):
    transforms = [[resize(size) for size in sizes], [flip(prob) for prob in probs], [dict(type="LoadBoxes")], [PACK]]
    return [dict(type="TestTimeAug", transforms=transforms)]


@pytest.fixture(scope="module")
def detector():
    """Random weights whose scores spread, so that suppression has something to do."""
    model = build(narrow_config())
    torch.manual_seed(1)
    for head in model.roi_head.bbox_head:
        torch.nn.init.normal_(head.fc_cls.weight, std=1.0)
        torch.nn.init.normal_(head.fc_reg.weight, std=0.3)
    return model.eval()


@pytest.fixture(scope="module")
def merging(detector):
    return MultiViewDetector(detector)


def assert_same(one, other, **tolerance):
    assert set(one.pred_instances.keys()) == set(other.pred_instances.keys())
    for name, value in one.pred_instances.items():
        torch.testing.assert_close(other.pred_instances[name], value, **tolerance)
    for name in ("context_feature", "context_scores"):
        torch.testing.assert_close(other.get(name), one.get(name), **tolerance)


# The second size gives a factor that is not the same in x and y.
@pytest.mark.parametrize("scale", [(96, 64), (131, 80)])
def test_one_view_is_the_detector_exactly(detector, merging, scale, scope):
    plain = run(detector, [resize(scale), PACK], frames())
    merged = run(merging, views([scale], [0.0]), frames())
    assert len(merged) == 2 and sum(len(sample.pred_instances) for sample in plain) > 4
    for one, other in zip(plain, merged):
        assert_same(one, other, rtol=0, atol=0)


def test_the_same_view_twice_changes_nothing(detector, merging, scope):
    plain = run(detector, [resize((96, 64)), PACK], frames())
    for one, other in zip(plain, run(merging, views([(96, 64)] * 2, [0.0]), frames())):
        assert_same(one, other, rtol=0, atol=0)


def test_a_mirrored_view_finds_what_is_in_the_mirrored_frame(detector, merging, scope):
    mirrored = np.ascontiguousarray(frames()[:, :, ::-1])
    plain = run(detector, [resize((96, 64)), PACK], mirrored)
    merged = run(merging, views([(96, 64)], [1.0]), frames())
    for one, other in zip(plain, merged):
        x0, y0, x1, y1 = one.pred_instances.bboxes.unbind(1)
        one.pred_instances.bboxes = torch.stack([96 - x1, y0, 96 - x0, y1], dim=1)
        assert_same(one, other, rtol=1e-5, atol=1e-4)


def test_context_is_the_mean_over_views(detector, merging, scope):
    sizes, probs = [(96, 64), (48, 32), (144, 96)], [0.0, 1.0]
    merged = run(merging, views(sizes, probs), frames(1))[0]
    each = [run(detector, [resize(size), flip(prob), PACK], frames(1))[0] for size in sizes for prob in probs]
    for name in ("context_feature", "context_scores"):
        torch.testing.assert_close(merged.get(name), sum(sample.get(name) for sample in each) / 6)
    found = torch.cat([sample.pred_instances.action_features for sample in each])
    for feature in merged.pred_instances.action_features:
        assert (found - feature).abs().amax(dim=1).min() < 1e-6


class Fixed(torch.nn.Module):
    """A detector that finds what it is told, view after view."""

    def __init__(self, told, *, max_per_img=10):
        super().__init__()
        self.test_cfg = ConfigDict(rcnn=dict(nms=dict(type="nms", iou_threshold=0.5), max_per_img=max_per_img))
        self.told = list(told)

    def test_step(self, data):
        return [self.told.pop(0)]


def view(boxes, scores, *, mirrored=False, mark=0):
    meta = dict(ori_shape=(50, 100), flip=mirrored, flip_direction="horizontal" if mirrored else None)
    sample = DetDataSample(metainfo=meta)
    count = len(boxes)
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores, dtype=torch.float32),
        labels=torch.zeros(count, dtype=torch.long),
        action_features=torch.full((count, 2), float(mark)),
    )
    return sample


def merge(*told, **limits):
    model = MultiViewDetector(Fixed(told, **limits))
    [merged] = model.test_step(dict(inputs=[[None]] * len(told), data_samples=[[None]] * len(told)))
    return merged.pred_instances


def test_merging_by_hand():
    # In the frame the mirrored boxes are at 0..10 and 50..70; the first is the first view's person again.
    persons = merge(
        view([[0, 0, 10, 10], [20, 0, 40, 10]], [0.9, 0.3], mark=1),
        view([[90, 0, 100, 10], [30, 0, 50, 10]], [0.8, 0.5], mirrored=True, mark=2),
    )
    assert persons.bboxes.tolist() == [[0, 0, 10, 10], [50, 0, 70, 10], [20, 0, 40, 10]]
    assert persons.scores.tolist() == pytest.approx([0.9, 0.5, 0.3])
    assert persons.action_features[:, 0].tolist() == [1, 2, 1]


def test_the_surer_view_wins_with_its_own_feature():
    persons = merge(view([[0, 0, 10, 10]], [0.6], mark=1), view([[0, 0, 10, 12]], [0.7], mark=2))
    assert persons.bboxes.tolist() == [[0, 0, 10, 12]] and persons.action_features[:, 0].tolist() == [2]


@pytest.mark.parametrize(("height", "kept"), [(20.0, 2), (19.9, 1)], ids=["IoU at threshold", "above"])
def test_threshold_is_the_detectors(height, kept):
    assert len(merge(view([[0, 0, 10, 10]], [0.6]), view([[0, 0, 10, height]], [0.7]))) == kept


def test_no_more_persons_than_the_detector_gives():
    boxes = [[30 * i, 0, 30 * i + 10, 10] for i in range(3)]
    persons = merge(view(boxes, [0.1, 0.2, 0.3]), view([], []), max_per_img=2)
    assert persons.scores.tolist() == pytest.approx([0.3, 0.2])


def test_nobody_in_any_view():
    persons = merge(view([], []), view([], [], mirrored=True))
    assert persons.bboxes.shape == (0, 4) and persons.scores.shape == (0,) and persons.action_features.shape == (0, 2)


def test_detector_without_branches(scope):
    model = build({**narrow_config(), "instance_action": None, "context_action": None}).eval()
    [sample] = run(MultiViewDetector(model), views([(96, 64)], [0.0, 1.0]), frames(1))
    assert "action_scores" not in sample.pred_instances and "context_scores" not in sample


def test_weights_are_the_detectors(merging, detector):
    copied = copy.deepcopy(merging)
    copied.module.load_state_dict(detector.state_dict())
