"""Groups of frames: k-means on a random sample of the training frames. Shapes: T frames, D channels, K groups."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from ...errors import InputError
from ...structures.temporal import TemporalSample

MAX_FRAMES = 50_000
"""Frames that are clustered: some 800 for each of 64 groups, 200 MB of 1024 channels."""
ITERATIONS = 50


def frame_centres(samples: Iterable[tuple[Tensor, TemporalSample]], num_groups: int, channels: int) -> Tensor:
    """Centres (K, D) of the frames of all instances; the draws follow from torch's generator.

    Raises:
        InputError: If there are fewer frames than groups.
    """
    generator = np.random.default_rng(int(torch.randint(2**31 - 1, ())))
    frames = sampled_frames(samples, channels, generator)
    if len(frames) < num_groups:
        told = f"the training set has {len(frames)} frames for {num_groups} groups"
        raise InputError(f"{told}: set num_groups lower or use more instances")
    return torch.from_numpy(centres_of(frames, num_groups, generator))


def sampled_frames(
    samples: Iterable[tuple[Tensor, TemporalSample]],
    channels: int,
    generator: np.random.Generator,
    limit: int = MAX_FRAMES,
) -> np.ndarray:
    """Frames (at most ``limit``, D) float32, each of all frames with the same chance, in one pass of bounded memory.

    Every frame draws a number, and those with the lowest are kept.
    """
    frames, numbers = [np.empty((0, channels), dtype=np.float32)], [np.empty(0)]
    held = 0
    for features, _ in samples:
        frames.append(features.numpy().astype(np.float32))
        numbers.append(generator.random(len(features)))
        held += len(features)
        if held > 2 * limit:
            frames, numbers = _lowest(frames, numbers, limit)
            held = limit
    return _lowest(frames, numbers, limit)[0][0]


def centres_of(frames: np.ndarray, num_groups: int, generator: np.random.Generator) -> np.ndarray:
    """k-means of frames (n, D): centres (K, D) float32, scikit-learn's, from one start of k-means++.

    Where fewer frames differ than there are groups, groups share a centre; the first of them is then the nearest.
    """
    seed = int(generator.integers(2**31 - 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        found = KMeans(num_groups, n_init=1, max_iter=ITERATIONS, random_state=seed).fit(frames)
    return found.cluster_centers_.astype(np.float32)


def nearest_centres(features: Tensor, centres: Tensor) -> Tensor:
    """(T,) int64: the nearest of the centres (K, D) to each frame (T, D), the first of equally near ones."""
    return torch.cdist(features, centres).argmin(dim=1)


def _lowest(
    frames: list[np.ndarray], numbers: list[np.ndarray], limit: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    drawn = np.concatenate(numbers)
    kept = np.sort(np.argsort(drawn, kind="stable")[:limit])
    return [np.concatenate(frames)[kept]], [drawn[kept]]
