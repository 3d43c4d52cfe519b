"""Losses with labels that may be missing. Shapes: N crops, K parts, S states, h x w cells, ``...`` any leading axes.

A batch without a single label gives exactly 0, still a function of the predictions: distributed training needs a
gradient for every parameter at every step.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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
    log_p = functional.log_softmax(logits, dim=-1).gather(-1, chosen).squeeze(-1)
    # 1 - p can round below 0, and a power of 0 has no finite slope for gamma < 1.
    miss = (-torch.expm1(log_p)).clamp(min=1e-8)
    return _mean_where(-(miss**gamma) * log_p, known)


def _mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    # A product and no indexing: with nothing chosen the result is 0 and keeps its graph.
    return (values * chosen).sum() / chosen.sum().clamp(min=1)
