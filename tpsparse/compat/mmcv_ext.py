"""Stand-in for ``mmcv._ext``, the compiled operators of mmcv, on torchvision's operators.

Breaks: mmcv-lite has no ``mmcv._ext``, and the sources of mmcv 2.1.0 do not compile against torch 2.14 (their set-up
passes ``-std=c++17``, the headers of torch ask for C++20), so ``import mmcv.ops`` fails, and with it mmdet.
Detected: no other finder knows ``mmcv._ext``; a compiled one always wins.
Put in its place: the operators of the networks in use here, on any device. Every other operator exists, because
mmcv checks the names on import, and refuses when it is called.

The signatures, with outputs written in place, are those of mmcv 2.1.0 (``mmcv/ops/csrc/pytorch``).

Shapes: N boxes or samples, K regions, C channels or classes, H x W feature map, h x w region grid.
Boxes are xyxy in absolute pixels; ``offset`` 1 counts pixels inclusively, so that a width is ``x1 - x0 + 1``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NoReturn

import torch
import torchvision
from torch import Tensor

REMEDY = "install a compiled mmcv that matches the installed torch, or use a network without this operator"
POOL_MODE_AVERAGE = 1
NAIVE, LINEAR, GAUSSIAN = 0, 1, 2
TINY = torch.finfo(torch.float32).tiny


def get_compiler_version() -> str:
    return "n/a (operators of torchvision)"


def get_compiling_cuda_version() -> str:
    return "n/a (operators of torchvision)"


def nms(boxes: Tensor, scores: Tensor, *, iou_threshold: float, offset: int) -> Tensor:
    """Indices of the boxes kept by greedy suppression, highest score first.

    A box is dropped when its IoU with a kept box is greater than the threshold; an equal one stays.

    Args:
        boxes: (N, 4).
        scores: (N,).
        iou_threshold: In [0, 1].
        offset: 0 or 1, see the top of the file.

    Returns:
        (n,) int64.
    """
    # torchvision wants one floating type for both, and on a CPU at least 32 bits.
    dtype = _wide(boxes.dtype, scores.dtype)
    corners = boxes.detach().to(dtype)
    if offset:
        corners = corners + corners.new_tensor([0, 0, offset, offset])
    return torchvision.ops.nms(corners, scores.detach().to(dtype), iou_threshold)


def _wide(*dtypes: torch.dtype) -> torch.dtype:
    """The type that holds all of these, at least float32."""
    return reduce(torch.promote_types, dtypes, torch.float32)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    *,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft suppression (Bodla et al., "Soft-NMS", ICCV 2017, fig. 2), which lowers scores instead of dropping boxes.

    Boxes of equal score come in the order in which mmcv's loop reaches them: a box that falls under ``min_score``
    gives its place to the last one.

    Args:
        boxes: (N, 4).
        scores: (N,).
        dets: (N, 5), written in place: the first n rows become the kept boxes with their lowered scores.
        iou_threshold: From which IoU on the naive and the linear method act.
        sigma: Width of the Gaussian method.
        min_score: A box whose lowered score is less is dropped.
        method: 0 naive, 1 linear, 2 Gaussian.
        offset: 0 or 1, see the top of the file.

    Returns:
        (n,) int64, the kept boxes' indices in the order of ``dets``.

    Raises:
        ValueError: If ``method`` is none of the three.
    """
    if method not in (NAIVE, LINEAR, GAUSSIAN):
        raise ValueError(f"soft-NMS method must be 0 (naive), 1 (linear) or 2 (gaussian), got {method}")
    rest_boxes, rest_scores = boxes.detach().clone(), scores.detach().clone()
    rest_inds = torch.arange(len(boxes), device=boxes.device)
    kept: list[Tensor] = []
    while len(rest_inds):
        best = int(rest_scores.argmax())
        box, index = rest_boxes[best].clone(), rest_inds[best].clone()
        dets[len(kept), :4], dets[len(kept), 4] = box, rest_scores[best]
        kept.append(index)
        for rest in (rest_boxes, rest_scores, rest_inds):
            rest[best] = rest[0].clone()
        weight = _soft_weights(_iou(box, rest_boxes[1:], offset), iou_threshold, sigma, method)
        rest_scores = rest_scores[1:] * weight
        order = _close_gaps(rest_scores >= min_score)
        rest_boxes, rest_scores, rest_inds = rest_boxes[1:][order], rest_scores[order], rest_inds[1:][order]
    return torch.stack(kept) if kept else rest_inds


def _iou(box: Tensor, others: Tensor, offset: int) -> Tensor:
    """IoU of one box (4,) with others (N, 4): (N,), NaN where both have no area."""
    size = (torch.minimum(box[2:], others[:, 2:]) - torch.maximum(box[:2], others[:, :2]) + offset).clamp(min=0)
    overlap = size.prod(dim=1)
    return overlap / ((box[2:] - box[:2] + offset).prod() + (others[:, 2:] - others[:, :2] + offset).prod(1) - overlap)


def _soft_weights(iou: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    """Factor of each score, (N,)."""
    if method == GAUSSIAN:
        return torch.exp(-(iou**2) / sigma)
    lowered = torch.zeros_like(iou) if method == NAIVE else 1 - iou
    return torch.where(iou >= iou_threshold, lowered, torch.ones_like(iou))


def _close_gaps(alive: Tensor) -> Tensor:
    """Order of the living, (n,) of (N,) bool: a gap among the first n is closed by the last one still behind it."""
    count = int(alive.sum())
    order = torch.arange(count, device=alive.device)
    behind = count + torch.nonzero(alive[count:]).flatten()
    order[~alive[:count]] = behind.flip(0)
    return order


def roi_align_forward(
    input: Tensor,  # noqa: A002 - mmcv's name
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Average of bilinear samples in each cell of a region (He et al., "Mask R-CNN", ICCV 2017, section 3).

    Args:
        input: Features (N, C, H, W).
        rois: (K, 5), batch index and a box in pixels of the image.
        output: (K, C, h, w), written in place.
        argmax_y: Unused, serves max pooling.
        argmax_x: Unused, serves max pooling.
        aligned_height: h.
        aligned_width: w.
        spatial_scale: Feature cells in a pixel.
        sampling_ratio: Samples in a cell along one side; 0 takes as many as the cell has feature cells, rounded up.
        pool_mode: 1 for the average.
        aligned: Whether the centre of feature cell (0, 0) lies at 0.5 and not at 0.

    Raises:
        NotImplementedError: If max pooling is asked for, which torchvision does not have.
    """
    _refuse_max_pooling(pool_mode)
    # torchvision wants one type for both; 16 bits would round the corners of boxes by pixels.
    dtype = _wide(input.dtype, rois.dtype)
    size = (aligned_height, aligned_width)
    pooled = torch.ops.torchvision.roi_align(
        input.to(dtype).contiguous(), rois.to(dtype).contiguous(), spatial_scale, *size, sampling_ratio, aligned
    )
    output.copy_(pooled)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient of :func:`roi_align_forward` in the features; arguments as there.

    Args:
        grad_output: (K, C, h, w).
        rois: (K, 5).
        argmax_y: Unused.
        argmax_x: Unused.
        grad_input: (N, C, H, W), added to in place.
        aligned_height: h.
        aligned_width: w.
        spatial_scale: Feature cells in a pixel.
        sampling_ratio: See there.
        pool_mode: 1 for the average.
        aligned: See there.

    Raises:
        NotImplementedError: If max pooling is asked for.
    """
    _refuse_max_pooling(pool_mode)
    dtype = _wide(grad_output.dtype, rois.dtype)
    grad_input += torch.ops.torchvision._roi_align_backward(
        grad_output.to(dtype).contiguous(),
        rois.to(dtype).contiguous(),
        spatial_scale,
        aligned_height,
        aligned_width,
        *grad_input.shape,
        sampling_ratio,
        aligned,
    )


def _refuse_max_pooling(pool_mode: int) -> None:
    if pool_mode != POOL_MODE_AVERAGE:
        raise NotImplementedError(f"roi_align with pool_mode='max' needs mmcv's compiled operators: {REMEDY}")


def sigmoid_focal_loss_forward(
    input: Tensor,  # noqa: A002 - mmcv's name
    target: Tensor,
    weight: Tensor,
    output: Tensor,
    *,
    gamma: float,
    alpha: float,
) -> None:
    """Focal loss of each sample and class (Lin et al., "Focal Loss", ICCV 2017, eq. 5).

    With p = sigmoid(input) it is ``-alpha (1 - p)^gamma log p`` at the label and ``-(1 - alpha) p^gamma log(1 - p)``
    at every other class. A label outside 0 ... C-1 is background: every class counts as another one.

    Args:
        input: Logits (N, C).
        target: Labels (N,), int64.
        weight: (C,), a factor for each sample by its label, or empty for none. Background has the factor 1: mmcv's
            kernel would read past the end of the weights there.
        output: (N, C), written in place.
        gamma: Focusing exponent.
        alpha: Share of the positives.
    """
    prob, not_prob, positive, alpha_t = _focal_terms(input, target, alpha)
    at_label = not_prob**gamma * prob.clamp(min=TINY).log()
    elsewhere = prob**gamma * not_prob.clamp(min=TINY).log()
    loss = -alpha_t * torch.where(positive, at_label, elsewhere)
    output.copy_(loss * _label_weights(weight, target))


def sigmoid_focal_loss_backward(
    input: Tensor,  # noqa: A002 - mmcv's name
    target: Tensor,
    weight: Tensor,
    grad_input: Tensor,
    *,
    gamma: float,
    alpha: float,
) -> None:
    """Derivative of :func:`sigmoid_focal_loss_forward` in each logit; arguments as there.

    Args:
        input: Logits (N, C).
        target: Labels (N,), int64.
        weight: (C,) or empty.
        grad_input: (N, C), written in place.
        gamma: Focusing exponent.
        alpha: Share of the positives.
    """
    prob, not_prob, positive, alpha_t = _focal_terms(input, target, alpha)
    at_label = not_prob**gamma * (not_prob - gamma * prob * prob.clamp(min=TINY).log())
    elsewhere = prob**gamma * (gamma * not_prob * not_prob.clamp(min=TINY).log() - prob)
    slope = -alpha_t * torch.where(positive, at_label, elsewhere)
    grad_input.copy_(slope * _label_weights(weight, target))


def _focal_terms(logits: Tensor, target: Tensor, alpha: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """p, 1 - p, where the label is, and alpha or 1 - alpha; each (N, C)."""
    # Half precision has no room for log(tiny).
    wide = logits.detach().to(_wide(logits.dtype))
    positive = target[:, None] == torch.arange(logits.shape[1], device=target.device)
    alpha_t = torch.where(positive, alpha, 1 - alpha).to(wide.dtype)
    # sigmoid(-x) keeps the digits that 1 - sigmoid(x) loses for large x.
    return wide.sigmoid(), (-wide).sigmoid(), positive, alpha_t


def _label_weights(weight: Tensor, target: Tensor) -> Tensor:
    """Factor of each sample, (N, 1), or (1, 1) where there are no weights."""
    if weight.numel() == 0:
        return weight.new_ones(1, 1)
    known = (target >= 0) & (target < len(weight))
    return torch.where(known, weight[target.clamp(0, len(weight) - 1)], weight.new_ones(()))[:, None]


def __getattr__(name: str) -> Callable[..., NoReturn]:
    """Give an operator that refuses for every other name that mmcv looks for.

    Raises:
        AttributeError: For a private name, which no operator has.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        """Raise.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"the operator {name} needs mmcv's compiled operators: {REMEDY}")

    refuse.__name__ = name
    return refuse
