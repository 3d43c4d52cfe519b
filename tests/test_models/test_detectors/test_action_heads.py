from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torchvision.ops import roi_align

from tpsparse.errors import InputError
from tpsparse.models.detectors import ActionRCNNHead, GlobalContextHead
from tpsparse.models.detectors.action_heads import average_over_frames, frame_actions, known_cross_entropy

ACTIONS, CHANNELS, WIDTH = 3, 8, 6


def make_head(strides: tuple[int, ...] = (4, 8), **changes) -> ActionRCNNHead:
    torch.manual_seed(0)
    head = ActionRCNNHead(
        num_actions=ACTIONS,
        in_channels=CHANNELS,
        conv_channels=WIDTH,
        num_convs=2,
        roi_extractor={
            "type": "mmdet.SingleRoIExtractor",
            "roi_layer": {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 2},
            "out_channels": CHANNELS,
            "featmap_strides": list(strides),
        },
        assigner={
            "type": "MaxIoUAssigner",
            "pos_iou_thr": 0.5,
            "neg_iou_thr": 0.5,
            "min_pos_iou": 0.5,
            "match_low_quality": False,
        },
        sampler={"type": "RandomSampler", "num": 16, "pos_fraction": 1.0, "neg_pos_ub": 0, "add_gt_as_proposals": True},
        **changes,
    )
    head.init_weights()
    return head


def make_pyramid(frames: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(frames, CHANNELS, 160 // s, 160 // s, generator=generator) for s in (4, 8, 16))


def make_sample(action: int | None, boxes: list[list[float]] = ()) -> DetDataSample:
    meta = {"img_path": "a/b.mp4", "img_shape": (160, 160), "batch_input_shape": (160, 160)}
    sample = DetDataSample(metainfo=meta if action is None else dict(meta, action=action))
    truth = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    sample.gt_instances = InstanceData(bboxes=truth, labels=torch.zeros(len(truth), dtype=torch.long))
    return sample


def record_rois(head: ActionRCNNHead) -> list[list[torch.Tensor]]:
    """A list that takes the boxes of every forward pass."""
    seen: list[list[torch.Tensor]] = []
    head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    return seen


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0], [5.0, -5.0]])
    loss, share = known_cross_entropy(logits, torch.tensor([1, 0, -1]))
    # Probabilities of the right action are 3/4 and 1/2; the third row is unknown.
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, abs=1e-6)
    loss, share = known_cross_entropy(logits, torch.tensor([1, -1, 1]))
    assert share.item() == pytest.approx(50.0)


@pytest.mark.parametrize("rows", [0, 2])
def test_cross_entropy_without_known_labels_is_zero_and_keeps_the_graph(rows):
    logits = torch.ones(rows, 2, requires_grad=True)
    loss, share = known_cross_entropy(logits, torch.full((rows,), -1))
    loss.backward()
    assert loss.item() == 0 and share.item() == 0
    assert torch.equal(logits.grad, torch.zeros(rows, 2))


def test_average_leaves_the_padding_out():
    stage = torch.tensor([[[1.0, 2.0], [4.0, 8.0]]]).repeat(3, 1, 1, 1)
    shapes = [(64, 64), (32, 33), (33, 32)]  # one pixel beyond a cell of 32 pixels counts the next cell
    metas = [{"img_shape": shape, "batch_input_shape": (64, 64)} for shape in shapes]
    assert average_over_frames(stage, metas).flatten().tolist() == [15 / 4, 3 / 2, 5 / 2]


def test_frame_actions_accepts_unknown_and_the_last():
    assert frame_actions([make_sample(-1), make_sample(ACTIONS - 1)], ACTIONS) == [-1, ACTIONS - 1]


@pytest.mark.parametrize(
    ("action", "message"), [(None, "meta_keys"), (ACTIONS, "num_actions"), (-2, "num_actions")], ids=str
)
def test_frame_actions_refuses(action, message):
    with pytest.raises(InputError, match=f"a/b.mp4.*{message}"):
        frame_actions([make_sample(action)], ACTIONS)


def test_forward_equals_a_plain_computation():
    head, pyramid = make_head(), make_pyramid(2)
    # Sides of 40 and 111.9 belong to the first level, of 112 (twice the finest scale) to the second.
    boxes = [torch.tensor([[10.0, 20.0, 50.0, 60.0], [0.0, 0.0, 111.9, 111.9]]), torch.tensor([[5.0, 5, 117, 117]])]
    features, logits = head(pyramid, boxes)
    places = [(0, boxes[0][:1], 0), (0, boxes[0][1:], 0), (1, boxes[1], 1)]
    expected = []
    for level, box, frame in places:
        cells = roi_align(
            pyramid[level][frame : frame + 1], [box], 7, 1 / (4 * 2**level), sampling_ratio=2, aligned=True
        )
        for layer in head.convs:
            cells = F.relu(F.conv2d(cells, layer.conv.weight, layer.conv.bias, padding=1))
        expected.append(cells.flatten(2).mean(2))
    torch.testing.assert_close(features, torch.cat(expected))
    torch.testing.assert_close(logits, torch.cat(expected) @ head.classifier.weight.T + head.classifier.bias)


def test_predict_splits_by_frame():
    head, pyramid = make_head(), make_pyramid(3)
    boxes = [torch.tensor([[0.0, 0, 40, 40]]), torch.zeros(0, 4), torch.tensor([[0.0, 0, 40, 40], [9.0, 9, 99, 99]])]
    features, scores = head.predict(pyramid, boxes)
    assert [tuple(f.shape) for f in features] == [(1, WIDTH), (0, WIDTH), (2, WIDTH)]
    assert [tuple(s.shape) for s in scores] == [(1, ACTIONS), (0, ACTIONS), (2, ACTIONS)]
    torch.testing.assert_close(scores[2].sum(1), torch.ones(2))
    alone, _ = head.predict(tuple(level[2:] for level in pyramid), [boxes[2]])
    torch.testing.assert_close(features[2], alone[0])


def test_predict_without_any_person():
    features, scores = make_head().predict(make_pyramid(2), [torch.zeros(0, 4)] * 2)
    assert [tuple(f.shape) for f in features] == [(0, WIDTH)] * 2
    assert [tuple(s.shape) for s in scores] == [(0, ACTIONS)] * 2


def test_loss_takes_proposals_on_persons_and_the_persons():
    head, person = make_head(), [20.0, 20.0, 60.0, 60.0]
    proposals = [[20, 20, 60, 40], [20, 20, 60, 39], [100, 100, 140, 140], [20, 20, 60, 59]]  # IoU 0.5, < 0.5, 0, high
    seen = record_rois(head)
    losses = head.loss(make_pyramid(1), [torch.tensor(proposals, dtype=torch.float32)], [make_sample(1, [person])])
    assert sorted(seen[0][0].tolist()) == sorted([person, [20, 20, 60, 40], [20, 20, 60, 59]])
    assert set(losses) == {"loss_ins", "acc_ins"} and losses["loss_ins"] > 0


def test_loss_masks_frames_of_unknown_action_and_is_weighted():
    head, pyramid = make_head(loss_weight=0.5), make_pyramid(2)
    person, proposals = [20.0, 20.0, 60.0, 60.0], [torch.zeros(0, 4)] * 2
    both = head.loss(pyramid, proposals, [make_sample(1, [person]), make_sample(-1, [person])])
    _, logits = head(tuple(level[:1] for level in pyramid), [torch.tensor([person])])
    torch.testing.assert_close(both["loss_ins"], 0.5 * -logits.log_softmax(1)[0, 1])


@pytest.mark.parametrize("norm_cfg", [None, {"type": "GN", "num_groups": 2}, {"type": "BN"}], ids=["none", "GN", "BN"])
@pytest.mark.parametrize("strides", [(4,), (4, 8)], ids=["one level", "two levels"])
@pytest.mark.parametrize("persons_of_unknown_action", [False, True])
def test_loss_without_rois_reaches_every_parameter(norm_cfg, strides, persons_of_unknown_action):
    head = make_head(strides, norm_cfg=norm_cfg)
    sample = make_sample(-1, [[20, 20, 60, 60]]) if persons_of_unknown_action else make_sample(1)
    loss = head.loss(make_pyramid(1), [torch.tensor([[0.0, 0, 30, 30]])], [sample])["loss_ins"]
    loss.backward()
    assert loss.item() == 0
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and not parameter.grad.any(), name


def test_loss_leaves_ignored_regions_alone():
    head, sample = make_head(), make_sample(1, [[20, 20, 60, 60]])
    head.assigner.ignore_iof_thr = 0.5
    sample.ignored_instances = InstanceData(bboxes=torch.tensor([[20.0, 20, 60, 60]]))
    seen = record_rois(head)
    head.loss(make_pyramid(1), [torch.tensor([[20.0, 20, 60, 58]])], [sample])
    assert seen[0][0].tolist() == [[20, 20, 60, 60]]


def test_context_head_by_hand():
    head = GlobalContextHead(num_actions=2, in_channels=1, loss_weight=2.0)
    torch.nn.init.zeros_(head.classifier.bias)
    head.classifier.weight.data = torch.tensor([[0.0], [math.log(3.0)]])
    stage = torch.ones(3, 1, 5, 5)
    samples = [make_sample(0), make_sample(1), make_sample(-1)]
    features, scores = head.predict(stage, samples)
    torch.testing.assert_close(features, torch.ones(3, 1))
    torch.testing.assert_close(scores, torch.tensor([[0.25, 0.75]] * 3))
    losses = head.loss(stage, samples)
    assert losses["loss_img"].item() == pytest.approx(2.0 * (math.log(4) + math.log(4 / 3)) / 2, abs=1e-6)
    assert losses["acc_img"].item() == pytest.approx(50.0)
