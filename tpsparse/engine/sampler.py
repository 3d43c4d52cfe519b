"""Sampling with one seed a sample, so that training data does not depend on workers, ranks or interruptions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import DefaultSampler

from ..errors import InputError
from ..registry import DATA_SAMPLERS


class SeededIndex(NamedTuple):
    """A sample's number and the seed of everything random in its preparation."""

    item: int
    seed: int


@DATA_SAMPLERS.register_module()
class SeededSampler(DefaultSampler):
    """mmengine's sampler, giving each sample of each epoch a seed of its own.

    The seed follows from (run seed, epoch, sample), so the same sample is prepared the same way whichever worker
    or process prepares it, and a resumed epoch equals an uninterrupted one.

    With ``pool``, samples of a few videos follow each other, so that what is decoded of a video serves many
    samples: the videos are shuffled, taken ``pool`` at a time, and the samples of a pool are shuffled. Each rank
    takes its stretch of that order. As a data loader gives its batches to its workers in turn, ``workers`` and
    ``batch_size`` let each worker have a stretch of its own; otherwise every worker decodes every video.

    Args:
        pool: Videos at a time; None shuffles all samples. The data set tells by ``sample_groups()``, a (len,) array,
            which samples are of one video; one with ``expect_pools()`` is told that it can keep what it decodes.
        workers: The data loader's ``num_workers``.
        batch_size: The data loader's ``batch_size``; needed where there are several workers.
        kwargs: Of mmengine's ``DefaultSampler``.

    Raises:
        InputError: If the arguments do not fit each other.
    """

    def __init__(
        self, dataset: Any, *, pool: int | None = None, workers: int = 1, batch_size: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(dataset, **kwargs)
        self.pool, self.workers, self.batch_size = pool, max(workers, 1), batch_size
        if pool is not None:
            self._check(pool)
            self._groups = np.unique(np.asarray(dataset.sample_groups()), return_inverse=True)[1]
            if hasattr(dataset, "expect_pools"):
                dataset.expect_pools()

    def __iter__(self) -> Iterator[SeededIndex]:  # type: ignore[override]
        items = super().__iter__() if self.pool is None else iter(self._pooled(self.pool).tolist())
        for index in items:
            sequence = np.random.SeedSequence((self.seed, self.epoch, index))
            yield SeededIndex(index, int(sequence.generate_state(1)[0]))

    def _pooled(self, pool: int) -> np.ndarray:
        """This rank's samples in the order of the epoch; padded with the epoch's first ones as mmengine pads."""
        rng = np.random.default_rng((self.seed, self.epoch))
        order = pooled_order(self._groups, pool, rng)
        if not self.round_up:
            return _in_turns(np.array_split(order, self.world_size)[self.rank], self.workers, self.batch_size)
        padded = np.resize(order, self.total_size)
        start = self.rank * self.num_samples
        return _in_turns(padded[start : start + self.num_samples], self.workers, self.batch_size)

    def _check(self, pool: int) -> None:
        if pool < 1:
            raise InputError(f"pool is {pool}: give the number of videos at a time, 1 or more, or None")
        if not self.shuffle:
            raise InputError("pool is for shuffled samples: leave it out or leave shuffle out")
        if self.workers > 1 and not self.batch_size:
            raise InputError("pool with several workers needs batch_size: give the data loader's")


def pooled_order(groups: np.ndarray, pool: int, rng: np.random.Generator) -> np.ndarray:
    """All samples once: groups in random order, ``pool`` at a time, the samples of a pool shuffled.

    Args:
        groups: (N,) number of each sample's group, from 0 without gaps.
        pool: Groups at a time.
        rng: What the order is drawn from.

    Returns:
        (N,) int64 sample numbers.
    """
    place = rng.permutation(int(groups.max(initial=-1)) + 1)
    return np.lexsort((rng.random(len(groups)), place[groups] // pool))


def _in_turns(samples: np.ndarray, workers: int, batch_size: int | None) -> np.ndarray:
    """Reorder whole batches so that every ``workers``-th are a stretch of ``samples``; a rest that fills none ends it.

    Batch ``i`` goes to worker ``i % workers``, in PyTorch's data loader as here.
    """
    if workers == 1 or not batch_size:
        return samples
    whole = len(samples) // batch_size
    lanes = np.array_split(np.arange(whole), workers)  # the first ones are the longer ones, as turns need it
    turns = [lane[turn] for turn in range(math.ceil(whole / workers)) for lane in lanes if turn < len(lane)]
    batches = samples[: whole * batch_size].reshape(whole, batch_size)
    return np.concatenate([batches[turns].reshape(-1), samples[whole * batch_size :]])
