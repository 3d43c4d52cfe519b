"""TransParser's local loss (TransParser, CVPR 2020, equations 3 to 5), exact over all pairs of frames.

Shapes: T frames of one instance, M patterns, B inner boundaries.

T frames have T^2 / 2 pairs, 79 million in TAPOS's longest instance, so they are walked in blocks of rows. A block gives
its sums of distances and, in the same pass, what they contribute to the gradient; nothing of it is kept, so that memory
is linear in T. Distances are matrix products (``|a|^2 + |b|^2 - 2ab``), whose cancellation would spoil those of nearly
equal responses in single precision: here everything is in double precision and relative to the mean of a sub-action.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

LEAST_DISTANCE = 1e-6
"""Below it the mean distance between sub-actions no longer divides: the loss stays finite where all responses agree."""
CELLS = 1 << 18
"""Distances that are held at a time, 2 MB: a few such blocks stay in a processor's cache."""


def local_loss(responses: Tensor, boundaries: Tensor | Sequence[int], regularizer: float) -> Tensor:
    """Distances within sub-actions against those across: ``(L_sim + regularizer) / L_dissim`` (equation 3).

    Args:
        responses: (T, M).
        boundaries: (B,) where sub-actions begin, as in ``TemporalSample``.
        regularizer: Lambda; above 0 it keeps all responses from being the same.

    Returns:
        A scalar; 0, and still a function of the responses, where B is 0: a single sub-action is unlike nothing.

    Raises:
        ValueError: As :func:`pair_distances` does.
    """
    if len(boundaries) == 0:
        return responses.sum() * 0.0
    similar, dissimilar = pair_distances(responses, boundaries)
    return (similar + regularizer) / dissimilar.clamp(min=LEAST_DISTANCE)


def pair_distances(responses: Tensor, boundaries: Tensor | Sequence[int]) -> tuple[Tensor, Tensor]:
    """Mean Euclidean distance of two frames' responses in one sub-action, and in different ones (equations 4 and 5).

    "avg" is read as the mean over the unordered pairs of different frames, those of all sub-actions together. Where
    there is no such pair the mean is 0. A distance of 0 has a gradient of 0.

    Args:
        responses: (T, M).
        boundaries: (B,).

    Returns:
        Two scalars, in double precision if the responses are, else in single.

    Raises:
        ValueError: If the boundaries are out of order or outside the instance.
    """
    inner = boundaries.tolist() if isinstance(boundaries, Tensor) else list(boundaries)
    edges = [0, *inner, len(responses)]
    if any(end <= first for first, end in zip(edges, edges[1:])):
        raise ValueError(f"boundaries {inner} of {len(responses)} frames are out of order or outside")
    return _PairDistances.apply(responses, edges)


class _PairDistances(torch.autograd.Function):
    """The two means; their gradients are ready when the forward pass ends."""

    @staticmethod
    def forward(ctx: Any, responses: Tensor, edges: list[int]) -> tuple[Tensor, Tensor]:
        sums, gradients = pair_sums(responses.detach().double(), edges)
        total = len(responses)
        similar = sum((end - first) * (end - first - 1) // 2 for first, end in zip(edges, edges[1:]))
        pairs = (max(similar, 1), max(total * (total - 1) // 2 - similar, 1))
        ctx.save_for_backward(*(each.div_(count).to(responses.dtype) for each, count in zip(gradients, pairs)))
        precision = torch.promote_types(responses.dtype, torch.float32)
        means = [(each / count).to(precision) for each, count in zip(sums, pairs)]
        return means[0], means[1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, similar: Tensor, dissimilar: Tensor) -> tuple[Tensor, None]:
        of_similar, of_dissimilar = ctx.saved_tensors
        return similar * of_similar + dissimilar * of_dissimilar, None


def pair_sums(responses: Tensor, edges: Sequence[int], *, cells: int = CELLS) -> tuple[Tensor, Tensor]:
    """Sums of distances over unordered pairs in one sub-action and in different ones, with their gradients.

    Args:
        responses: (T, M) float64.
        edges: (B + 2,) rising from 0 to T.
        cells: How many distances are held at a time.

    Returns:
        (2,) sums and (2, T, M) gradients.
    """
    sums = responses.new_zeros(2)
    gradients = responses.new_zeros(2, *responses.shape)
    for first, end in zip(edges, edges[1:]):
        # Every pair is met once: with the frames of its own sub-action and of those behind it.
        values = responses[first:] - responses[first:end].mean(dim=0)
        norms = values.square().sum(dim=1)
        own = end - first
        for start, stop in _blocks(own, max(1, cells // len(values))):
            rows = values[start:stop]
            distances = torch.addmm(norms, rows, values.T, alpha=-2).add_(norms[start:stop, None])
            distances.diagonal(start).zero_()
            distances.clamp_(min=0).sqrt_()
            sums[0] += distances[:, :own].sum() / 2  # as the other frame's pair each comes again
            sums[1] += distances[:, own:].sum()
            inverse = distances.reciprocal_().nan_to_num_(posinf=0.0)
            similar, dissimilar = inverse[:, :own], inverse[:, own:]
            here = slice(first + start, first + stop)
            gradients[0, here] += _pulls(similar, rows, values[:own])
            gradients[1, here] += _pulls(dissimilar, rows, values[own:])
            gradients[1, end:] += _pulls(dissimilar.T, values[own:], rows)
    return sums, gradients


def _pulls(inverse: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sum over columns j of ``(row_i - column_j) * inverse_ij``: the gradient of all distances of each row."""
    return rows * inverse.sum(dim=1, keepdim=True) - inverse @ columns


def _blocks(length: int, size: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + size, length)) for start in range(0, length, size))
