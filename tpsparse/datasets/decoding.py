"""Decoding a video forward, with jumps to key frames that keep the numbers of the frames.

What :class:`tpsparse.datasets.video.Video` stands on. Frames are numbered from 1 as OpenCV gives them; times are in
units of the stream's time base. Shapes: frames of height H and width W, uint8 RGB.
"""

from __future__ import annotations

import gc
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from ..errors import InputError

_FRAME_PER_PACKET = frozenset({"h264", "hevc", "vp9", "av1", "mjpeg"})
"""Codecs whose frames can be counted without decoding; others have hidden or packed frames."""

_WORTH_A_JUMP = 4
"""Frames that a jump must save: it costs about as much as decoding them."""

_MOST_THREADS = 16  # FFmpeg's own bound: each holds a frame

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


# A decoder with threads that is garbage when a loader forks its workers would be freed in a worker, where its threads
# do not exist, and wait for them for ever. Only the collector frees a closed file, since it and its streams refer to
# each other.
os.register_at_fork(before=gc.collect)


class VideoFacts(NamedTuple):
    """What there is to know of a video before its frames are read: number of frames, (H, W), frames a second."""

    num_frames: int
    size: tuple[int, int]
    fps: float


class Timeline(NamedTuple):
    """The presentation time of every frame in order, rising, and the numbers of the key frames, rising."""

    times: range | np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, times: list[int], key_times: list[int]) -> Timeline:
        """From the times of packets in the order of the file."""
        times = sorted(times)
        keys = [bisect_left(times, time) + 1 for time in sorted(key_times)]
        steady = range(times[0], times[-1] + 1, max(1, times[1] - times[0])) if len(times) > 1 else range(0)
        # A range takes no memory, which counts in loader workers that open thousands of videos.
        is_steady = len(steady) == len(times) and list(steady) == times
        return cls(steady if is_steady else np.array(times, dtype=np.int64), np.array(keys, dtype=np.int32))

    def number(self, time: int | None) -> int:
        """The number of the frame shown at ``time``; 0 where there is none."""
        place = len(self.times) if time is None else bisect_left(self.times, time)
        return place + 1 if place < len(self.times) and self.times[place] == time else 0

    def key_before(self, number: int) -> int:
        """The last key frame up to ``number``; 0 for the start of the file."""
        place = bisect_right(self.keys, number)
        return int(self.keys[place - 1]) if place else 0


class Decoder:
    """A file being decoded forward; with a timeline, it jumps to key frames.

    Attributes:
        number: The frame decoded last; 0 at the start.
        timeline: None from where it has proven wrong.
    """

    def __init__(self, path: Path, timeline: Timeline | None = None, *, threads: int = 1) -> None:
        self.path, self.timeline, self.threads = path, timeline, threads
        self.number: int = 0
        self._reformatter = VideoReformatter()
        self._start()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frame(self, number: int) -> av.VideoFrame | None:
        """Frame ``number``, which is not before the last one; None where decoding ends before it."""
        key = self.timeline.key_before(number) if self.timeline else 0
        if key > self.number + _WORTH_A_JUMP:
            self._jump(key)
        while self.number < number:
            frame = next(self._frames, None)
            if frame is None:
                return None
            self.number, self._last = self.number + 1, frame
        if self.timeline and self.timeline.number(self._last.pts) != number:
            self._restart()
            return self.frame(number)
        return self._last

    def to_rgb(self, frame: av.VideoFrame, size: tuple[int, int]) -> np.ndarray:
        """(H, W, 3) uint8 upright RGB, the values as OpenCV converts them.

        OpenCV goes by the pixel format alone: gray and "yuvj" have the full range, and the colour matrix is that of
        BT.601 whatever the file says.
        """
        turn = -round(frame.rotation) % 360
        height, width = size[::-1] if turn in (90, 270) else size
        full = frame.format.name.startswith(("yuvj", "gray", "ya"))
        converted = self._reformatter.reformat(
            frame,
            width=width,  # of the first frame, should it change on the way
            height=height,
            format="rgb24",
            src_colorspace=Colorspace.ITU601,
            dst_colorspace=Colorspace.ITU601,
            interpolation=Interpolation.BICUBIC,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            threads=1,
        )
        image = converted.to_ndarray()
        return cv2.rotate(image, _TURNS[turn]) if turn in _TURNS else image

    def _start(self) -> None:
        self._container, self._stream = _open(self.path, threads=self.threads)
        self._frames = self._decoded()
        self.number = 0

    def _restart(self) -> None:
        """Count from the start of the file, whatever the timeline says."""
        self._container.close()
        self.timeline = None
        self._start()

    def _jump(self, key: int) -> None:
        assert self.timeline is not None
        try:
            self._container.seek(int(self.timeline.times[key - 1]), stream=self._stream)
        except av.FFmpegError:
            return self._restart()
        self._frames = self._decoded()
        first = next(self._frames, None)
        self.number = 0 if first is None else self.timeline.number(first.pts)
        if first is None or not 0 < self.number <= key:
            return self._restart()
        self._last = first
        return None

    def _decoded(self) -> Iterator[av.VideoFrame]:
        # Reading on after a packet that cannot be decoded would be possible. OpenCV ends there.
        try:
            yield from self._container.decode(self._stream)
        except av.FFmpegError:
            return


def count_decoded(path: str | Path) -> int:
    """Decode a whole video and count its frames.

    Raises:
        InputError: If the file is missing, empty, or not a video.
    """
    with Decoder(Path(path)) as decoder:
        while decoder.frame(decoder.number + 1) is not None:
            pass
        return decoder.number


def scan_video(path: Path) -> tuple[VideoFacts, Timeline | None]:
    """What a video's packets and its first frame tell; the timeline is None where packets do not tell it.

    Raises:
        InputError: As :func:`examine_video`.
    """
    container, stream = _open(path)
    with container:
        first, times, key_times = _read_packets(path, container, stream)
        if first is None:
            raise InputError(f"{path} has no frame that can be decoded: replace or remove it")
        turned = -round(first.rotation) % 360 in (90, 270)
        size = (first.width, first.height) if turned else (first.height, first.width)
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        codec = stream.codec_context.name
    timeline = _timeline_of(times, key_times, first.pts) if codec in _FRAME_PER_PACKET else None
    count = count_decoded(path) if timeline is None else len(timeline.times)
    return VideoFacts(count, size, fps), timeline


def _read_packets(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream
) -> tuple[av.VideoFrame | None, list[int | None], list[int | None]]:
    """The first frame, and the times of all packets and of key packets that are shown.

    Raises:
        InputError: If the file ends in the middle of a packet, whatever its header promises.
    """
    first, broken = None, False
    times: list[int | None] = []
    key_times: list[int | None] = []
    try:
        for packet in container.demux():
            if packet.is_corrupt:
                raise InputError(f"{path} is truncated, it ends after frame {len(times)}: replace or remove it")
            if packet.stream is not stream:
                continue
            if first is None and not broken:
                first, broken = _first_frame(packet)
            if packet.size and not packet.is_discard:
                times.append(packet.pts)
                if packet.is_keyframe:
                    key_times.append(packet.pts)
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read to its end ({error.strerror}): replace or remove it") from error
    return first, times, key_times


def _first_frame(packet: av.Packet) -> tuple[av.VideoFrame | None, bool]:
    """What a packet gives to the decoder, and whether it could not be decoded."""
    try:
        return next(iter(packet.decode()), None), False
    except av.FFmpegError:
        return None, True


def _timeline_of(times: Sequence[int | None], key_times: Sequence[int | None], first: int | None) -> Timeline | None:
    """The timeline of a video whose first decoded frame is shown at ``first``."""
    known = [time for time in times if time is not None]
    if first not in known or len(set(known)) < len(times):
        return None
    # Frames that lean on what was cut away before them are not decoded.
    return Timeline.of(
        [time for time in known if time >= first], [time for time in key_times if time is not None and time >= first]
    )


def _open(path: Path, *, threads: int = 1) -> tuple[av.container.InputContainer, av.VideoStream]:
    if not path.is_file():
        raise InputError(f"{path} is missing: check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: replace or remove it")
    try:
        # FFmpeg takes what stands before a colon for a protocol, but not after a slash.
        container = av.open(str(path.absolute()))
    except av.FFmpegError as error:
        raise InputError(f"{path} is not a video that can be read: replace or remove it") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{path} is not a video that can be read: replace or remove it")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.thread_count = min(max(1, threads), _MOST_THREADS)
    return container, stream
