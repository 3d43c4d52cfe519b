"""Losses of part relevance and of part states, of which several may hold at once. Shapes: N persons, K parts, S states.

Each is a mean over the labels of all processes, and a batch without labels gives 0 with a gradient for every parameter,
see :func:`tpsparse.models.losses.mean_over_processes`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..losses import mean_over_processes


def binary_relevance_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross entropy of relevance.

    Args:
        logits: (N, K).
        labels: (N, K) 1, 0, or -1 where unknown.
    """
    known = labels >= 0
    each = functional.binary_cross_entropy_with_logits(logits.float(), labels.clamp(min=0).float(), reduction="none")
    return (each * known).sum() / mean_over_processes(known.sum())


def multi_label_state_loss(logits: Tensor, states: Tensor, positive_weight: float) -> Tensor:
    """Binary cross entropy of each state by itself: a sum over the states, a mean over the parts that have one.

    The annotation names one state of a part, so of S outputs one is to be 1, and it counts ``positive_weight`` times.

    Args:
        logits: (N, K, S).
        states: (N, K) ids, -1 where unknown.
        positive_weight: Factor of the annotated state's term.
    """
    known = states >= 0
    targets = functional.one_hot(states.clamp(min=0), logits.shape[-1]).float()
    weight = torch.as_tensor(positive_weight, dtype=torch.float32, device=logits.device)
    each = functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none", pos_weight=weight)
    return (each.sum(dim=-1) * known).sum() / mean_over_processes(known.sum())
