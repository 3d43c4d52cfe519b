"""Frames of a video by number.

Frames are numbered from 1 in decoding order as OpenCV gives them, which is how the challenge numbered them.
Shapes: T frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np

from ..errors import InputError

CACHE_BYTES = 1 << 29
"""Decoded frames that one process keeps."""


class Video:
    """A video file whose frames are asked for by number.

    Args:
        path: The file.

    Raises:
        InputError: If the file is missing, empty, or not a video.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        capture = _open(self.path)
        self.fps = float(capture.get(cv2.CAP_PROP_FPS))
        read, first = capture.read()
        capture.release()
        if not read:
            raise InputError(f"{self.path} has no frame that can be decoded: replace or remove it")
        self.size = (int(first.shape[0]), int(first.shape[1]))
        self.num_frames = _count_frames(self.path)

    @property
    def name(self) -> str:
        """File name without extension."""
        return self.path.stem

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """The frames with these numbers, in the order asked, as (T, H, W, 3).

        Raises:
            InputError: If a number is not in the video, or decoding ends before it.
        """
        if len(numbers) == 0:
            return np.zeros((0, *self.size, 3), dtype=np.uint8)
        if min(numbers) < 1:
            raise InputError(f"{self.path} was asked for frame {min(numbers)}: frames are numbered from 1")
        whole = FRAMES.get(self)
        if whole is not None:
            self._check_decoded(max(numbers), len(whole))
            return whole[np.asarray(numbers) - 1]
        wanted = set(numbers)
        found, decoded = {}, 0
        for decoded, frame in self.decode(max(wanted)):  # noqa: B007 - the last number is used
            if decoded in wanted:
                found[decoded] = frame
        self._check_decoded(max(wanted), decoded)
        return np.stack([found[number] for number in numbers])

    def windows(self, numbers: Sequence[int], room: int) -> Iterator[np.ndarray]:
        """The frames with these rising numbers, at most ``room`` at a time, decoded in one pass.

        Raises:
            InputError: If decoding ends before the last.
        """
        whole = FRAMES.get(self)
        if whole is not None:
            for start in range(0, len(numbers), room):
                yield self.frames(numbers[start : start + room])
            return
        wanted, held, done = set(numbers), [], 0
        for number, frame in self.decode(max(wanted, default=0)):
            if number in wanted:
                held.append(frame)
            if len(held) == room:
                done += len(held)
                yield np.stack(held)
                held = []
        if held:
            done += len(held)
            yield np.stack(held)
        if done < len(numbers):
            self._check_decoded(numbers[-1], numbers[done] - 1)

    def decode(self, last: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Every frame in order with its number, up to ``last`` or the end."""
        capture = _open(self.path)
        try:
            number = 0
            while last is None or number < last:
                read, frame = capture.read()
                if not read:
                    return
                number += 1
                yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()

    def _check_decoded(self, wanted: int, decoded: int) -> None:
        if wanted > decoded:
            raise InputError(
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


def frames_of(video: Video) -> Iterator[np.ndarray]:
    """Every frame (H, W, 3) of a video in order."""
    return (frame for _, frame in video.decode())


class FrameStore:
    """Whole decoded videos, the least recently used dropped first.

    A video that would take more than a quarter of the room is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._held: OrderedDict[Path, np.ndarray] = OrderedDict()

    def get(self, video: Video) -> np.ndarray | None:
        """All frames (T, H, W, 3) that can be decoded, or None where the video is too large to keep."""
        if video.path in self._held:
            self._held.move_to_end(video.path)
            return self._held[video.path]
        if video.num_frames * video.size[0] * video.size[1] * 3 > self.max_bytes // 4:
            return None
        frames = np.stack([frame for _, frame in video.decode()])
        self._held[video.path] = frames
        while sum(held.nbytes for held in self._held.values()) > self.max_bytes:
            self._held.popitem(last=False)
        return frames


FRAMES = FrameStore(CACHE_BYTES)


def _count_frames(path: Path) -> int:
    """Frames that decoding gives: frames that an edit list cuts away are in the file and are not shown.

    Raises:
        InputError: If the file ends in the middle of a packet, whatever its header promises.
    """
    count = 0
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            for packet in container.demux():
                if packet.is_corrupt:
                    raise InputError(f"{path} is truncated, it ends after frame {count}: replace or remove it")
                count += packet.stream is video and packet.size > 0 and not packet.is_discard
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read to its end ({error.strerror}): replace or remove it") from error
    return count


def _open(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise InputError(f"{path} is missing: check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: replace or remove it")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        capture.release()
        raise InputError(f"{path} is not a video that can be read: replace or remove it")
    return capture
