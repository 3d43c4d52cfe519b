"""Stages see as many frames or persons at once as their config allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..structures import FrameParse

if TYPE_CHECKING:
    from .network import TrainedNetwork

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Consecutive runs of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def frame_results(
    network: TrainedNetwork, images: np.ndarray, frames: Sequence[FrameParse], size: int
) -> Iterator[tuple[FrameParse, Any]]:
    """Each record and what a detector says of the whole frame.

    Args:
        network: The detector.
        images: (T, H, W, 3) uint8 RGB.
        frames: T records.
        size: Frames in a batch.
    """
    for batch in batches(list(zip(images, frames)), size):
        items = [network.pipeline(frame_item(image)) for image, _ in batch]
        yield from zip([frame for _, frame in batch], network.predict(items))


def frame_item(image: np.ndarray) -> dict[str, Any]:
    """What mmdet's transforms want to know of a frame (H, W, 3) that is not annotated."""
    size = image.shape[:2]
    return dict(img=image, img_shape=size, ori_shape=size, img_id=0, img_path="")


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
