"""Decoded frames that samples share: while samples of a few videos follow each other, or of a small data set.

Shapes: frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from .frame_folder import FrameFolder
from .video import CACHE_BYTES, Video


def pool_of_all(counts: np.ndarray, sizes: np.ndarray) -> FramePool | None:
    """A pool for samples in any order that keeps every frame; None where there is no room for all of them.

    A pool that dropped frames would have dropped most before they are asked for again.

    Args:
        counts: (V,) frames of each video that samples are of.
        sizes: (V, 2) their height and width.
    """
    total = int((counts * np.asarray(sizes, dtype=np.int64).prod(axis=1)).sum()) * 3
    return FramePool(CACHE_BYTES) if total <= CACHE_BYTES else None


class FramePool:
    """Single frames of a few videos, the least recently used dropped first.

    A video is decoded once for all its frames that are going to be asked for, as decoding one frame costs as much as
    decoding those before it; extracted frames are read one by one.

    Args:
        max_bytes: Of all frames together. A video whose frames need more than a quarter is read frame by frame.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self.max_bytes = max_bytes
        self._held: OrderedDict[tuple[Path, int], np.ndarray] = OrderedDict()
        self._bytes = 0

    def frame(self, source: Video | FrameFolder, number: int, needed: Callable[[], Sequence[int]]) -> np.ndarray:
        """A frame (H, W, 3), not to be written to.

        Args:
            source: Where it is read if it is not held.
            number: Of the frame, from 1.
            needed: Gives the numbers of all frames that will be asked for of this source; called where that matters.

        Raises:
            InputError: If the frame cannot be read.
        """
        key = source.path, number
        if key not in self._held:
            self._read(source, number, needed)
        self._held.move_to_end(key)
        return self._held[key]

    def _read(self, source: Video | FrameFolder, number: int, needed: Callable[[], Sequence[int]]) -> None:
        wanted = [number]
        if isinstance(source, Video):
            together = sorted({number, *needed()})
            if len(together) * source.size[0] * source.size[1] * 3 <= self.max_bytes // 4:
                wanted = together
        try:
            frames = source.frames(wanted)
        except InputError:
            if len(wanted) == 1:
                raise
            wanted, frames = [number], source.frames([number])  # another of them cannot be read
        for one, frame in zip(wanted, frames):
            self._hold((source.path, one), frame, alone=len(wanted) == 1)

    def _hold(self, key: tuple[Path, int], frame: np.ndarray, *, alone: bool) -> None:
        old = self._held.pop(key, None)
        self._bytes -= 0 if old is None else old.nbytes
        # Not as a view, which would keep all frames that were read together.
        self._held[key] = frame if alone else frame.copy()
        self._bytes += frame.nbytes
        while self._bytes > self.max_bytes and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1].nbytes
