"""Frames of a video by number.

Frames are numbered from 1 in the order in which OpenCV gives them, which is how the challenge numbered them: decoding
order after reordering, until the first frame that cannot be decoded, without the frames that an edit list cuts away,
and turned upright where the container says so, as OpenCV does with `CAP_PROP_ORIENTATION_AUTO` (which 4.11 leaves off).
Shapes: T frames of height H and width W, uint8 RGB.

PyAV decodes: it is about as fast as OpenCV in a pass over a video, and several times faster at single frames, since it
can start from the key frame before them and still know their numbers (`benchmarks/decode.py`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from .decoding import Decoder, Timeline, VideoFacts, count_decoded, scan_video

__all__ = ["FRAMES", "FrameStore", "Video", "VideoFacts", "count_decoded", "examine_video", "frames_of", "open_video"]

CACHE_BYTES = 1 << 29
"""Decoded frames that one process keeps."""


class Video:
    """A video file whose frames are asked for by number.

    Args:
        path: The file.
        facts: What is known of it already, as :func:`examine_video` gives it or with ``num_frames`` as
            :func:`count_decoded` does; the file is not looked at then before a frame is asked for. A ``num_frames``
            of neither makes reading single frames slow.

    Raises:
        InputError: If the file is missing, empty, truncated, or not a video.
    """

    def __init__(self, path: str | Path, facts: VideoFacts | None = None) -> None:
        self.path = Path(path)
        self._counted = facts is not None
        self._order: _Order | None = None
        if facts is None:
            facts, timeline = scan_video(self.path)
            self._order = _Order(timeline)
        self.facts = facts
        self.size = facts.size
        self.fps = facts.fps

    @property
    def name(self) -> str:
        """File name without extension."""
        return self.path.stem

    @cached_property
    def num_frames(self) -> int:
        """Frames that can be decoded: where no facts were given, the last ones are tried."""
        timeline = None if self._counted else self._known_order().timeline
        return self.facts.num_frames if timeline is None else _last_decoded(self.path, timeline)

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """The frames with these numbers, in the order asked, as (T, H, W, 3).

        Raises:
            InputError: If a number is not in the video, or decoding ends before it.
        """
        if len(numbers) == 0:
            return np.zeros((0, *self.size, 3), dtype=np.uint8)
        if min(numbers) < 1:
            raise InputError(f"{self.path} was asked for frame {min(numbers)}: frames are numbered from 1")
        whole = FRAMES.ask(self)
        if whole is not None:
            if max(numbers) > len(whole):
                raise self._too_short(max(numbers), len(whole))
            return whole[np.asarray(numbers) - 1]
        places: dict[int, list[int]] = {}
        for place, number in enumerate(numbers):
            places.setdefault(int(number), []).append(place)
        frames = np.empty((len(numbers), *self.size, 3), dtype=np.uint8)
        for number, frame in self._pick(sorted(places)):
            for place in places[number]:
                frames[place] = frame
        return frames

    def windows(self, numbers: Sequence[int], room: int) -> Iterator[np.ndarray]:
        """The frames with these rising numbers, at most ``room`` at a time, decoded in one pass.

        Raises:
            InputError: If decoding ends before the last.
        """
        whole = FRAMES.held(self)
        if whole is not None:
            for start in range(0, len(numbers), room):
                yield self.frames(numbers[start : start + room])
            return
        decoded = self._pick(numbers, threads=cv2.getNumThreads())
        for start in range(0, len(numbers), room):
            images = np.empty((min(room, len(numbers) - start), *self.size, 3), dtype=np.uint8)
            for place, (_, frame) in zip(range(len(images)), decoded):
                images[place] = frame
            yield images

    def decode(self, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Every frame in order with its number, up to ``last`` or the end."""
        with Decoder(self.path, threads=cv2.getNumThreads()) as decoder:
            while last is None or decoder.number < last:
                frame = decoder.frame(decoder.number + 1)
                if frame is None:
                    return
                yield decoder.number, decoder.to_rgb(frame, self.size)

    def _pick(self, numbers: Sequence[int], *, threads: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """The frames with these rising numbers; only they are converted to RGB.

        Raises:
            InputError: If decoding ends before the last.
        """
        order = self._known_order()
        with Decoder(self.path, order.timeline, threads=threads) as decoder:
            for number in numbers:
                frame = decoder.frame(number)
                order.timeline = decoder.timeline
                if frame is None:
                    raise self._too_short(numbers[-1], decoder.number)
                yield number, decoder.to_rgb(frame, self.size)

    def _known_order(self) -> _Order:
        if self._order is None:
            self._order = _read_order(self.path, self.facts.num_frames)
        return self._order

    def _too_short(self, wanted: int, decoded: int) -> InputError:
        return InputError(
            f"{self.path} ends after frame {decoded} but frame {wanted} was asked for: "
            "the file is truncated or its annotation is of another video; replace or remove it"
        )


@lru_cache(maxsize=4096)
def open_video(path: str | Path) -> Video:
    """The video at ``path``, examined once a process.

    Raises:
        InputError: As :class:`Video`.
    """
    return Video(path)


@dataclass
class _Order:
    """When the frames of a file are shown; None where they can only be counted from the start."""

    timeline: Timeline | None


@lru_cache(maxsize=8192)
def _read_order(path: Path, num_frames: int) -> _Order:
    """The order of a file of which ``num_frames`` is known, read once a process.

    Raises:
        InputError: As :class:`Video`.
    """
    facts, timeline = scan_video(path)
    if timeline is None or num_frames == facts.num_frames or num_frames == _last_decoded(path, timeline):
        return _Order(timeline)
    return _Order(None)  # frames are missing before the last ones, and the others' numbers are not known


def _last_decoded(path: Path, timeline: Timeline) -> int:
    """The number of the last frame that can be decoded."""
    with Decoder(path, timeline) as decoder:
        decoder.frame(len(timeline.times) + 1)
        return decoder.number


def frames_of(video: Video) -> Iterator[np.ndarray]:
    """Every frame (H, W, 3) of a video in order."""
    return (frame for _, frame in video.decode())


def examine_video(path: str | Path) -> VideoFacts:
    """Read a video's packets and decode its first frame, which takes milliseconds.

    The number of frames does not tell of frames, mostly last ones, that are in the file but cannot be decoded:
    :func:`count_decoded` does. Codecs that hide frames, such as MPEG-4 part 2, are decoded to the end.

    Raises:
        InputError: If the file is missing, empty, truncated, or not a video.
    """
    return scan_video(Path(path))[0]


class FrameStore:
    """Whole decoded videos, the least recently used dropped first.

    A video that would take more than a quarter of the room is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._held: OrderedDict[Path, np.ndarray] = OrderedDict()
        self._asked: OrderedDict[Path, int] = OrderedDict()

    def held(self, video: Video) -> np.ndarray | None:
        """All frames of a video that is kept already; None for any other."""
        return self._held.get(video.path)

    def get(self, video: Video) -> np.ndarray | None:
        """All frames (T, H, W, 3) that can be decoded, or None where the video is too large to keep."""
        if video.path in self._held:
            self._held.move_to_end(video.path)
            return self._held[video.path]
        if _bytes_of(video) > self.max_bytes // 4:
            return None
        frames = np.empty((video.facts.num_frames, *video.size, 3), dtype=np.uint8)
        decoded = 0
        for decoded, frame in video.decode(len(frames)):  # noqa: B007 - the last number is used
            frames[decoded - 1] = frame
        self._held[video.path] = frames[:decoded]
        self._asked.pop(video.path, None)
        while sum(held.nbytes for held in self._held.values()) > self.max_bytes:
            self._held.popitem(last=False)
        return self._held[video.path]

    def ask(self, video: Video) -> np.ndarray | None:
        """As :meth:`get`, but None where decoding the whole video would not pay.

        It pays from the second time on, if the video would still be held had it been kept the first time: a small
        data set is soon held whole, while of a large one only the wanted frames are decoded.
        """
        if video.path in self._held or video.path in self._asked:
            return self.get(video)
        needed = _bytes_of(video)
        if needed <= self.max_bytes // 4:
            self._asked[video.path] = needed
        while sum(self._asked.values()) > self.max_bytes:
            self._asked.popitem(last=False)
        return None


FRAMES = FrameStore(CACHE_BYTES)


def _bytes_of(video: Video) -> int:
    return video.facts.num_frames * video.size[0] * video.size[1] * 3
