"""Sampling with one seed a sample, so that training data does not depend on workers, ranks or interruptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from mmengine.dataset import DefaultSampler

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
    """

    def __iter__(self) -> Iterator[SeededIndex]:  # type: ignore[override]
        for index in super().__iter__():
            sequence = np.random.SeedSequence((self.seed, self.epoch, index))
            yield SeededIndex(index, int(sequence.generate_state(1)[0]))
