from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import tpsparse  # noqa: F401 - sets up mmcv._ext

mmcv_ops = pytest.importorskip("mmcv.ops")
ext = pytest.importorskip("mmcv._ext")

pytestmark = pytest.mark.skipif("tpsparse" not in ext.__file__, reason="a compiled mmcv is installed")


def tent(position: float, size: int) -> np.ndarray:
    """Bilinear weights of one coordinate on a grid; nothing beyond one cell outside."""
    if position < -1 or position > size:
        return np.zeros(size)
    clamped = min(max(position, 0), size - 1)
    return np.maximum(0, 1 - np.abs(clamped - np.arange(size)))


def cell_samples(start: float, extent: float, cells: int, cell: int, ratio: int) -> list[float]:
    count = ratio if ratio > 0 else math.ceil(extent / cells)
    return [start + extent / cells * (cell + (k + 0.5) / count) for k in range(count)]


def plain_roi_align(features, rois, size, scale, ratio, aligned):
    out = np.zeros((len(rois), features.shape[1], *size))
    for k, (batch, *corners) in enumerate(rois):
        x0, y0, x1, y1 = [c * scale - (0.5 if aligned else 0) for c in corners]
        width, height = (x1 - x0, y1 - y0) if aligned else (max(x1 - x0, 1), max(y1 - y0, 1))
        for i in range(size[0]):
            for j in range(size[1]):
                ys = cell_samples(y0, height, size[0], i, ratio)
                xs = cell_samples(x0, width, size[1], j, ratio)
                rows = sum(tent(y, features.shape[2]) for y in ys)
                cols = sum(tent(x, features.shape[3]) for x in xs)
                if ys and xs:
                    cell = np.einsum("chw,h,w->c", features[int(batch)], rows, cols)
                    out[k, :, i, j] = cell / (len(ys) * len(xs))
    return out


# A plain one, one over the border, one in the second image, one far outside, and one without area.
ROIS = np.array(
    [[0, 1, 2, 9, 8], [0, -4, -3, 5, 30], [1, 3.3, 2.1, 7.7, 11.2], [1, 90, 90, 99, 99], [0, 4, 4, 4, 4]], dtype=float
)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("ratio", [0, 2])
def test_roi_align_values_and_gradient(aligned, ratio):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 2, 5, 6))
    layer = mmcv_ops.RoIAlign((2, 3), 0.5, ratio, aligned=aligned)
    leaf = torch.tensor(features, requires_grad=True)
    out = layer(leaf, torch.tensor(ROIS))
    expected = plain_roi_align(features, ROIS, (2, 3), 0.5, ratio, aligned)
    np.testing.assert_allclose(out.detach().numpy(), expected, atol=1e-12)

    pull = rng.normal(size=expected.shape)
    out.backward(torch.tensor(pull))
    gradient = np.zeros_like(features)
    for index in np.ndindex(*features.shape):
        step = np.zeros_like(features)
        step[index] = 0.5
        high = plain_roi_align(features + step, ROIS, (2, 3), 0.5, ratio, aligned)
        low = plain_roi_align(features - step, ROIS, (2, 3), 0.5, ratio, aligned)
        gradient[index] = ((high - low) * pull).sum()
    np.testing.assert_allclose(leaf.grad.numpy(), gradient, atol=1e-10)


def test_roi_align_without_regions():
    features = torch.ones(1, 2, 4, 4, requires_grad=True)
    out = mmcv_ops.RoIAlign(3)(features, torch.zeros(0, 5))
    out.sum().backward()
    assert out.shape == (0, 2, 3, 3)
    assert not features.grad.any()


def test_roi_align_keeps_the_corners_of_boxes_in_half_precision():
    features = torch.arange(200.0)[None, None, None].expand(1, 1, 4, 200).to(torch.bfloat16)
    # bfloat16 knows 150.5 only as 150 or 151.
    out = mmcv_ops.RoIAlign(1, 1.0, 1)(features, torch.tensor([[0, 150.5, 1, 152.5, 3]]))
    assert out.dtype == torch.bfloat16
    assert float(out) == float(torch.tensor(151.0, dtype=torch.bfloat16))


def test_roi_align_takes_gradients_of_strided_output():
    features = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    rois = torch.tensor([[0, 0, 0, 5, 5.0]])
    mmcv_ops.RoIAlign((2, 2))(features, rois).permute(0, 2, 3, 1).pow(2).sum().backward()
    strided = features.grad.clone()
    features.grad = None
    mmcv_ops.RoIAlign((2, 2))(features, rois).pow(2).sum().backward()
    torch.testing.assert_close(strided, features.grad)


def test_roi_align_refuses_max_pooling():
    with pytest.raises(NotImplementedError, match="max.*compiled mmcv"):
        mmcv_ops.RoIAlign(2, pool_mode="max")(torch.ones(1, 1, 4, 4), torch.zeros(1, 5))


def plain_iou(a, b, offset):
    width = min(a[2], b[2]) - max(a[0], b[0]) + offset
    height = min(a[3], b[3]) - max(a[1], b[1]) + offset
    overlap = max(width, 0) * max(height, 0)
    area_a, area_b = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    return overlap / (area_a + area_b - overlap)


def plain_nms(boxes, scores, threshold, offset):
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(plain_iou(boxes[i], boxes[k], offset) <= threshold for k in kept):
            kept.append(i)
    return kept


def plain_soft_nms(boxes, scores, threshold, sigma, min_score, method, offset):
    left, scores, found = list(range(len(boxes))), list(scores), []
    while left:
        best = max(left, key=lambda i: scores[i])
        found.append((best, scores[best]))
        left.remove(best)
        for i in left:
            iou = plain_iou(boxes[best], boxes[i], offset)
            if method == "gaussian":
                scores[i] *= math.exp(-(iou**2) / sigma)
            elif iou >= threshold:
                scores[i] *= 0 if method == "naive" else 1 - iou
        left = [i for i in left if scores[i] >= min_score]
    return found


def random_boxes(count, seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 30, (count, 2))
    return np.hstack([corners, corners + rng.uniform(5, 25, (count, 2))]), rng.permutation(count) / count + 0.01


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_nms_equals_a_plain_loop(offset, seed):
    boxes, scores = random_boxes(40, seed)
    dets, kept = mmcv_ops.nms(torch.tensor(boxes), torch.tensor(scores), 0.4, offset)
    expected = plain_nms(boxes, scores, 0.4, offset)
    assert kept.tolist() == expected
    np.testing.assert_allclose(dets.numpy(), np.hstack([boxes, scores[:, None]])[expected])


@pytest.mark.parametrize(
    ("reason", "boxes", "scores", "threshold", "offset", "expected"),
    [
        ("no box", np.zeros((0, 4)), [], 0.5, 0, []),
        ("one box", [[0, 0, 4, 4]], [0.3], 0.5, 0, [0]),
        (
            "equal scores: the first comes first",
            [[0, 0, 4, 4], [50, 0, 54, 4], [0, 0, 4, 4]],
            [0.5] * 3,
            0.5,
            0,
            [0, 1],
        ),
        ("IoU at the threshold stays", [[0, 0, 10, 10], [0, 0, 10, 5]], [0.9, 0.8], 0.5, 0, [0, 1]),
        ("the same, pixels counted inclusively", [[0, 0, 9, 9], [0, 0, 9, 4]], [0.9, 0.8], 0.5, 1, [0, 1]),
        ("over the threshold goes", [[0, 0, 10, 10], [0, 0, 10, 5.1]], [0.9, 0.8], 0.5, 0, [0]),
        # Inclusively 50 of 150 pixels, 0.33; without the extra pixel 36 of 126, 0.29.
        ("only inclusively over", [[0, 0, 9, 9], [5, 0, 14, 9]], [0.9, 0.8], 0.3, 1, [0]),
        ("exclusively under", [[0, 0, 9, 9], [5, 0, 14, 9]], [0.9, 0.8], 0.3, 0, [0, 1]),
    ],
)
def test_nms_cases(reason, boxes, scores, threshold, offset, expected):
    boxes, scores = torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32)
    assert mmcv_ops.nms(boxes, scores, threshold, offset)[1].tolist() == expected, reason


def test_nms_takes_half_precision_and_numpy():
    boxes, scores = [[0, 0, 8, 8], [0, 0, 8, 7], [20, 20, 30, 30]], [0.5, 0.75, 0.25]
    half = mmcv_ops.nms(torch.tensor(boxes, dtype=torch.float16), torch.tensor(scores), 0.5)
    assert half[1].tolist() == [1, 2]
    dets, kept = mmcv_ops.nms(np.array(boxes, dtype=np.float32), np.array(scores, dtype=np.float32), 0.5)
    assert isinstance(dets, np.ndarray)
    assert kept.tolist() == [1, 2]


def test_nms_filters_by_score_and_count():
    boxes = torch.tensor([[0, 0, 4, 4], [10, 0, 14, 4], [20, 0, 24, 4.0]])
    _, kept = mmcv_ops.nms(boxes, torch.tensor([0.2, 0.6, 0.9]), 0.5, score_threshold=0.3, max_num=1)
    assert kept.tolist() == [2]


@pytest.mark.parametrize("split_thr", [10000, 1])
def test_batched_nms_separates_classes(split_thr):
    boxes = torch.tensor([[0, 0, 8, 8], [0, 0, 8, 7], [0, 0, 8, 8.0]])
    config = {"type": "nms", "iou_threshold": 0.5, "split_thr": split_thr}
    dets, kept = mmcv_ops.batched_nms(boxes, torch.tensor([0.5, 0.9, 0.7]), torch.tensor([0, 0, 1]), config)
    assert kept.tolist() == [1, 2]
    torch.testing.assert_close(dets[:, 4], torch.tensor([0.9, 0.7]))


@pytest.mark.parametrize("method", ["naive", "linear", "gaussian"])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_soft_nms_equals_a_plain_loop(method, offset, seed):
    boxes, scores = random_boxes(30, seed)
    dets, kept = mmcv_ops.soft_nms(
        torch.tensor(boxes), torch.tensor(scores), 0.3, sigma=0.4, min_score=0.02, method=method, offset=offset
    )
    expected = plain_soft_nms(boxes, scores, 0.3, 0.4, 0.02, method, offset)
    assert kept.tolist() == [index for index, _ in expected]
    assert 0 < len(expected) < 30
    np.testing.assert_allclose(dets[:, 4].numpy(), [score for _, score in expected], rtol=1e-12)
    np.testing.assert_array_equal(dets[:, :4].numpy(), boxes[kept.numpy()])


FAR = [[0, 0, 4, 4], [50, 0, 54, 4], [100, 0, 104, 4], [150, 0, 154, 4]]


@pytest.mark.parametrize(
    ("reason", "boxes", "scores", "expected"),
    [
        ("no box", np.zeros((0, 4)), [], []),
        ("one box", FAR[:1], [0.3], [0]),
        ("equal scores in order", FAR, [0.9, 0.5, 0.5, 0.5], [0, 1, 2, 3]),
        ("the best swaps places with the first", FAR[:3], [0.5, 0.5, 0.9], [2, 1, 0]),
        ("two gaps, filled from the end", [FAR[0]] * 3 + FAR[2:], [0.9, 0.8, 0.7, 0.5, 0.5], [0, 4, 3]),
        ("the last fills the gap of a dropped box", [FAR[0], FAR[0], *FAR[2:]], [0.9, 0.8, 0.5, 0.5], [0, 3, 2]),
    ],
)
def test_soft_nms_cases(reason, boxes, scores, expected):
    boxes, scores = torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32)
    dets, kept = mmcv_ops.soft_nms(boxes, scores, 0.5, min_score=0.01)
    assert kept.tolist() == expected, reason
    assert dets.shape == (len(expected), 5)


def test_soft_nms_acts_at_the_threshold():
    boxes = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 5.0]])
    for threshold, lowered in ((0.5, 0.4), (0.51, 0.8)):
        dets, _ = mmcv_ops.soft_nms(boxes, torch.tensor([0.9, 0.8]), threshold)
        torch.testing.assert_close(dets[:, 4], torch.tensor([0.9, lowered]))


def test_soft_nms_leaves_its_input_alone():
    boxes, scores = (torch.tensor(x, dtype=torch.float32) for x in random_boxes(5, 0))
    before = boxes.clone(), scores.clone()
    mmcv_ops.soft_nms(boxes, scores)
    assert torch.equal(boxes, before[0])
    assert torch.equal(scores, before[1])


def test_soft_nms_refuses_an_unknown_method():
    empty = torch.zeros(0)
    with pytest.raises(ValueError, match="got 3"):
        ext.softnms(
            empty.view(0, 4),
            empty,
            empty.view(0, 5),
            iou_threshold=0.5,
            sigma=0.5,
            min_score=0.0,
            method=3,
            offset=0,
        )


def written_focal_loss(logits, labels, gamma, alpha, weight):
    """Lin et al., eq. 5, through log-sigmoids and autograd."""
    classes = logits.shape[1]
    hot = torch.stack([(labels == c).to(logits) for c in range(classes)], dim=1)
    log_p = hot * F.logsigmoid(logits) + (1 - hot) * F.logsigmoid(-logits)
    loss = -(hot * alpha + (1 - hot) * (1 - alpha)) * (1 - log_p.exp()) ** gamma * log_p
    factors = [1.0 if weight is None or not 0 <= t < classes else float(weight[t]) for t in labels.tolist()]
    return loss * torch.tensor(factors, dtype=logits.dtype)[:, None]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gamma", [2.0, 0.5])
def test_focal_loss_values_and_gradient(reduction, weighted, gamma):
    generator = torch.Generator().manual_seed(0)
    # 4 and -1 name no class: the whole row is background.
    labels = torch.tensor([0, 3, 1, 4, -1, 1])
    logits = 2 * torch.randn(6, 4, generator=generator, dtype=torch.float64)
    weight = torch.tensor([0.5, 2.0, 3.0, 4.0], dtype=torch.float64) if weighted else None
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = mmcv_ops.sigmoid_focal_loss(ours, labels, gamma, 0.3, weight, reduction)
    expected = written_focal_loss(theirs, labels, gamma, 0.3, weight)
    # mmcv divides the mean by the samples, not by samples times classes.
    expected = {"none": expected, "sum": expected.sum(), "mean": expected.sum() / 6}[reduction]
    torch.testing.assert_close(loss, expected)
    # mmcv's wrapper supports one gradient for all elements only where it reduces.
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_focal_loss_by_hand():
    # p = 1/2: -0.25 * (1/2)^2 * ln(1/2) at the label, three times as much elsewhere.
    loss = mmcv_ops.sigmoid_focal_loss(torch.zeros(1, 2), torch.tensor([0]), 2.0, 0.25, None, "none")
    torch.testing.assert_close(loss, torch.tensor([[0.25, 0.75]]) * 0.25 * math.log(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_focal_loss_stays_finite(dtype):
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], dtype=dtype, requires_grad=True)
    loss = mmcv_ops.sigmoid_focal_loss(logits, torch.tensor([0, 0]), 2.0, 0.25, None, "sum")
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_focal_loss_of_no_sample():
    assert mmcv_ops.sigmoid_focal_loss(torch.zeros(0, 3), torch.zeros(0).long(), 2.0, 0.25, None, "sum") == 0


def test_other_operators_refuse():
    features, rois = torch.ones(1, 1, 4, 4), torch.zeros(1, 5)
    with pytest.raises(NotImplementedError, match="roi_pool_forward.*install a compiled mmcv"):
        mmcv_ops.roi_pool(features, rois, 2)
    with pytest.raises(NotImplementedError, match="softmax_focal_loss_forward"):
        mmcv_ops.softmax_focal_loss(torch.zeros(1, 2), torch.zeros(1).long())
    with pytest.raises(NotImplementedError, match="deform_conv_forward"):
        mmcv_ops.DeformConv2dPack(1, 1, 3, padding=1)(features)
    assert not hasattr(ext, "_private")


def test_environment_reports_name_the_stand_in():
    from mmcv.utils import collect_env
    from mmengine.utils.dl_utils import collect_env as engine_env

    assert "torchvision" in collect_env()["MMCV Compiler"]
    assert engine_env()["PyTorch"] == torch.__version__
    assert ext.__spec__.origin.endswith("mmcv_ext.py")
