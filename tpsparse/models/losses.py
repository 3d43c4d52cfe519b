"""Losses with labels that may be missing. Shapes: N crops, K parts, S states, h x w cells, ``...`` any leading axes.

A batch without a single label gives exactly 0, still a function of the predictions: distributed training needs a
gradient for every parameter at every step. Each loss is a mean over the labels of all processes, so a batch has the
same gradient however it is shared among them.
"""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import Tensor
from torch.nn import functional


def mean_over_processes(count: Tensor | float) -> Tensor:
    """What a process divides its sum by to get a mean over the labels of all processes.

    Distributed training averages the gradients of W processes. With ``sum_r / (total / W)`` in process r that average
    is the gradient of the sum over all processes divided by the total: of the mean that a single process would take.
    A process that divided by its own count would give its labels a weight that depends on what the others hold.

    All processes wait for each other here, so every process must call it, equally often and in the same order,
    whether or not it has labels.

    Args:
        count: What this process would divide by, at least 0: the number of its labels, or the sum of their weights.

    Returns:
        A float32 scalar without a graph: the mean of the processes' counts, which may be below 1, or 1 where all are
        0. In a single process the count itself.
    """
    mean = torch.as_tensor(count).detach().to(torch.float32, copy=True)
    all_reduce(mean, "mean")
    return torch.where(mean > 0, mean, torch.ones_like(mean))


def widened(values: Tensor) -> Tensor:
    """Values of half precision, as layers give them in mixed precision, in float32; others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def masked_mse(heatmaps: Tensor, masks: Tensor, present: Tensor) -> Tensor:
    """Mean squared error over all cells of the parts that are present (first line of DAP, eq. 2).

    Args:
        heatmaps: (N, K, h, w) predictions.
        masks: (N, K, h, w) targets.
        present: (N, K) bool.

    Raises:
        ValueError: If heatmaps and masks differ in shape.
    """
    if heatmaps.shape != masks.shape:
        raise ValueError(f"heatmaps have shape {tuple(heatmaps.shape)}, the masks {tuple(masks.shape)}")
    each = functional.mse_loss(heatmaps, masks, reduction="none").mean(dim=(2, 3))
    return _mean_where(each, present)


def part_state_mse(heatmaps: Tensor, masks: Tensor, states: Tensor) -> Tensor:
    """Squared error of one heatmap for each (part, state): the part's mask in its true state, 0 in the others.

    A mean over the cells, a sum over the states, a mean over the parts that have a state and an area in the crop.
    The sum makes the error of a network that says nothing the same as :func:`masked_mse` of the parts, so that the
    same weight fits both, however many states there are.

    Args:
        heatmaps: (N, K, S, h, w) predictions.
        masks: (N, K, h, w) of the parts; all 0 where a part is absent.
        states: (N, K) ids, -1 where unknown.
    """
    heatmaps, masks = heatmaps.float(), masks.float()
    true = states.clamp(min=0)
    # The targets are as many as the heatmaps, K x S, and all but K of them are 0: they are never written out.
    errors = heatmaps.square().mean(dim=(3, 4))
    chosen = heatmaps.flatten(0, 1)[torch.arange(true.numel(), device=true.device), true.flatten()].view_as(masks)
    error_of_true = (chosen - masks).square().mean(dim=(2, 3))
    each = errors.scatter(2, true[..., None], error_of_true[..., None]).sum(dim=2)
    return _mean_where(each, _has_state_and_area(masks, states))


def state_map_mse(heatmaps: Tensor, masks: Tensor, states: Tensor) -> Tensor:
    """Squared error of one heatmap for each state: 1 on the area of every part in that state, overlaps counted once.

    A mean over the cells, a sum over the states, and of the crops' sums a mean over the parts that have a state and
    an area in the crop: the error of a network that says nothing is then that of :func:`masked_mse`, but for overlaps.
    A cell of a part whose state is unknown says nothing of the states that no other part has there, and a crop
    without a known state says nothing at all.

    Args:
        heatmaps: (N, S, h, w) predictions.
        masks: (N, K, h, w) of the parts; all 0 where a part is absent.
        states: (N, K) ids, -1 where unknown.
    """
    heatmaps, masks = heatmaps.float(), masks.float()
    labelled = _has_state_and_area(masks, states)
    true = states.clamp(min=0)[..., None, None].expand_as(masks)
    known = masks * labelled[..., None, None]
    targets = torch.zeros_like(heatmaps).scatter_reduce(1, true, known, "amax")
    unknown = (masks * (states < 0)[..., None, None]).amax(dim=1, keepdim=True) > 0
    kept = (targets > 0) | ~unknown
    each = ((heatmaps - targets).square() * kept).mean(dim=(2, 3)).sum(dim=1)
    return (each * labelled.any(dim=1)).sum() / mean_over_processes(labelled.sum())


def softmax_focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean of ``-(1 - p)^gamma log p``, p the probability of the true class (Lin et al. 2017, eq. 4).

    The original is for yes-or-no outputs; here p comes from a softmax, because DAP's state output is one
    distribution over S states. With ``gamma = 0`` this is cross entropy.

    Args:
        logits: (..., S).
        labels: (...) class ids, -1 where unknown.
        gamma: Weight of easy examples falls with it.
    """
    known = labels >= 0
    chosen = labels.clamp(min=0).unsqueeze(-1)
    log_p = functional.log_softmax(widened(logits), dim=-1).gather(-1, chosen).squeeze(-1)
    # 1 - p can round below 0, and a power of 0 has no finite slope for gamma < 1.
    miss = (-torch.expm1(log_p)).clamp(min=1e-8)
    return _mean_where(-(miss**gamma) * log_p, known)


def _has_state_and_area(masks: Tensor, states: Tensor) -> Tensor:
    """(N, K) bool; a part that the crop cuts off wholly has no cell to be judged at."""
    return (states >= 0) & (masks.amax(dim=(2, 3)) > 0)


def _mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    # A product and no indexing: with nothing chosen the result is 0 and keeps its graph.
    return (values * chosen).sum() / mean_over_processes(chosen.sum())
