"""A video decoded once, ahead of the networks, by a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from ..datasets.video import Video

AHEAD = 1
"""Windows that wait decoded, beside the one being filled and the one in the networks."""
PATIENCE = 0.1
"""Seconds after which a thread that cannot go on looks whether it is still wanted."""


def decode_ahead(video: Video, numbers: Sequence[int], room: int) -> Iterator[tuple[list[int], np.ndarray]]:
    """The frames with these rising numbers, in windows of at most ``room``.

    Decoding goes on while the caller is busy with a window, up to :data:`AHEAD` windows further. It ends with the
    iteration, however that ends.

    Args:
        video: The video.
        numbers: Of the frames, from 1, rising.
        room: Frames in a window.

    Yields:
        The numbers of T frames, and the frames (T, H, W, 3) uint8 RGB.

    Raises:
        InputError: If decoding ends before the last frame.
    """
    waiting: queue.Queue[np.ndarray | BaseException] = queue.Queue(AHEAD)
    over = threading.Event()

    def decode() -> None:
        try:
            for images in video.windows(numbers, room):
                if not _put(waiting, images, over):
                    return
        except BaseException as error:  # told to the caller, whose error it is
            _put(waiting, error, over)

    thread = threading.Thread(target=decode, name="decode", daemon=True)
    thread.start()
    try:
        for start in range(0, len(numbers), room):
            images = waiting.get()
            if isinstance(images, BaseException):
                raise images
            yield list(numbers[start : start + room]), images
            del images  # else a third window would live on here
    finally:
        over.set()
        thread.join()


def _put(waiting: queue.Queue, item: np.ndarray | BaseException, over: threading.Event) -> bool:
    """Hand over an item; False where nobody takes it any more."""
    while not over.is_set():
        try:
            waiting.put(item, timeout=PATIENCE)
        except queue.Full:
            continue
        return True
    return False
