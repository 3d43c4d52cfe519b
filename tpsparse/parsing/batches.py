"""Stages see as many frames or persons at once as the runtime allows.

Inputs are prepared by :mod:`.preparation` for a whole batch at once where it knows the network's test pipeline, and
item by item by that pipeline where it does not, with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .preparation import Batch
from .window import Window

if TYPE_CHECKING:
    from .network import TrainedNetwork

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Consecutive runs of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def frame_results(network: TrainedNetwork, window: Window, size: int) -> list[Any]:
    """What a detector says of each of the T frames as a whole.

    Args:
        network: The detector.
        window: Of T frames.
        size: Frames in a batch.
    """
    found: list[Any] = []
    prepare = network.preparation("frame")
    for rows in window.frame_batches(size):
        if prepare is not None:
            found += network.predict_batch(prepare(window.images[rows]))
        else:
            images = window.images[rows].cpu().numpy()
            found += network.predict([network.pipeline(frame_item(image)) for image in images])
    return found


def frame_item(image: np.ndarray) -> dict[str, Any]:
    """What mmdet's transforms want to know of a frame (H, W, 3) that is not annotated."""
    size = image.shape[:2]
    return dict(img=image, img_shape=size, ori_shape=size, img_id=0, img_path="")


def person_results(
    network: TrainedNetwork,
    window: Window,
    size: int,
    item: Callable[[Window, int], dict[str, Any]],
    predict: Callable[[Batch], Iterable[Any]] | None = None,
) -> list[Any]:
    """What a network of person crops says of each of the N persons.

    Args:
        network: The network.
        window: Of N persons.
        size: Persons in a batch, across frames.
        item: What the pipeline wants to know of the person in a row, where the batch cannot be prepared as a whole.
        predict: What is asked of the network for a prepared batch, in place of its results.
    """
    found: list[Any] = []
    prepare = network.preparation("person")
    for rows in window.person_batches(size):
        if prepare is not None:
            found += (predict or network.predict_batch)(prepare(window, rows))
        else:
            found += network.predict([network.pipeline(item(window, row)) for row in range(rows.start, rows.stop)])
    return found


def person_image(window: Window, row: int) -> np.ndarray:
    """The picture (H, W, 3) of the frame of the person in a row."""
    return window.images[window.owner[row]].cpu().numpy()


def person_column(window: Window, name: str, row: int) -> np.ndarray:
    """A person's own row of a column."""
    return window.persons[name][row].cpu().numpy()


def person_item(window: Window, row: int, flip_parts: np.ndarray) -> dict[str, Any]:
    """What the transforms of person crops want to know of a person who is not annotated.

    Args:
        window: Of N persons.
        row: Of the person.
        flip_parts: (K,) the twin of each part.
    """
    number = window.numbers[int(window.owner[row])]
    box = person_column(window, "boxes", row)
    return dict(img=person_image(window, row), box=box, flip_parts=flip_parts, video="", frame_index=number)
