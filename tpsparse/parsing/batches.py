"""Stages see as many frames or persons at once as their config allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from ..structures import FrameParse

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Consecutive runs of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


Person = tuple[np.ndarray, FrameParse, int]
"""A frame's picture (H, W, 3), its record, and the person's row in it."""


def person_batches(images: np.ndarray, frames: Sequence[FrameParse], size: int) -> Iterator[Sequence[Person]]:
    """The persons of all frames, in order, at most ``size`` at a time.

    Args:
        images: (T, H, W, 3).
        frames: T records.
        size: Persons in a batch, across frames.
    """
    persons = [(image, frame, row) for image, frame in zip(images, frames) for row in range(len(frame))]
    return batches(persons, size)


def person_item(person: Person, flip_parts: np.ndarray) -> dict[str, object]:
    """What the transforms of person crops want to know of a person who is not annotated.

    Args:
        person: See :data:`Person`.
        flip_parts: (K,) the twin of each part.
    """
    image, frame, row = person
    return dict(img=image, box=frame.boxes[row], flip_parts=flip_parts, video="", frame_index=frame.frame_index)
