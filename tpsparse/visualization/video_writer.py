"""Writing H.264 video that browsers play, and videos of a parse.

Shapes: H, W of a frame. Frames are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace

from ..errors import InputError
from ..structures.export import LEAST_STATE_SCORE
from ..structures.files import atomic_write
from ..structures.parse import FrameParse, VideoParse
from ..taxonomy import Taxonomy
from .overlay import draw_parse

# 29.97 frames a second is 30000/1001; one frame in 1001 seconds is the slowest rate.
_LARGEST_DENOMINATOR = 1001
# A parse keeps every guess, since the score does not punish them; a picture shows what is likely there.
_SHOWN_PERSON, _SHOWN_PART = 0.3, 0.25


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames as H.264 (yuv420p, BT.709, index in front) in an mp4 file, one at a time.

    An odd height or width is made even by repeating the last row or column. Nothing is left behind on an error.

    Args:
        path: Where to; the folder is made if need be and an older file is replaced.
        frames: (H, W, 3) uint8 RGB each, all of one size.
        fps: Frames a second.

    Raises:
        ValueError: If fps is not a positive number, there are no frames, or a frame has another shape or type.
    """
    if not (np.isfinite(fps) and fps >= 1 / _LARGEST_DENOMINATOR):
        raise ValueError(f"fps is {fps}; it must be a positive number")
    numbered = enumerate(frames, start=1)
    _, first = next(numbered, (0, None))
    if first is None:
        raise ValueError(f"there are no frames to write to {path}")
    _check_frame(first, 1, first.shape)
    rate = Fraction(float(fps)).limit_denominator(_LARGEST_DENOMINATOR)
    with atomic_write(path) as partial, av.open(partial, "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = _add_stream(file, first, rate)
        file.mux(stream.encode(_to_yuv(first)))
        for number, frame in numbered:
            _check_frame(frame, number, first.shape)
            file.mux(stream.encode(_to_yuv(frame)))
        file.mux(stream.encode(None))


def write_overlay(
    path: str | Path,
    frames: Iterable[np.ndarray],
    parse: VideoParse,
    taxonomy: Taxonomy,
    fps: float,
    *,
    min_state_score: float = LEAST_STATE_SCORE,
) -> None:
    """Write a video on whose frames the parse is drawn; each shows the latest parsed frame at or before it.

    Args:
        path: Where to, as for :func:`write_video`.
        frames: (H, W, 3) uint8 RGB each, in order from frame 1; taken one at a time.
        parse: Of the same video.
        taxonomy: The names that the parse's ids stand for.
        fps: Frames a second.
        min_state_score: As for :func:`draw_parse`.

    Raises:
        ValueError: As :func:`write_video` and :func:`draw_parse`.
        InputError: If the frames are not of the parse's size, or the taxonomy does not fit the parse.
    """
    write_video(path, _drawn(frames, parse, taxonomy, min_state_score), fps)


def write_overlay_reel(
    path: str | Path, videos: Iterable[tuple[Iterable[np.ndarray], VideoParse]], taxonomy: Taxonomy, fps: float
) -> None:
    """Write the overlays of several videos one after the other; all are fitted into the size of the first.

    Args:
        path: Where to, as for :func:`write_video`.
        videos: Frames and parse of each, as for :func:`write_overlay`.
        taxonomy: The names that the parses' ids stand for.
        fps: Frames a second.

    Raises:
        ValueError: As :func:`write_overlay`; also if there is no video.
        InputError: As :func:`write_overlay`.
    """
    drawn = (frame for frames, parse in videos for frame in _drawn(frames, parse, taxonomy))
    write_video(path, _of_one_size(drawn), fps)


def _of_one_size(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    size: tuple[int, int] | None = None
    for frame in frames:
        size = size or (frame.shape[0], frame.shape[1])
        yield frame if frame.shape[:2] == size else _fitted(frame, size)


def _fitted(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The frame as large as fits into ``size`` (height, width), on black."""
    scale = min(size[0] / frame.shape[0], size[1] / frame.shape[1])
    height, width = int(frame.shape[0] * scale), int(frame.shape[1] * scale)
    canvas = np.zeros((*size, 3), dtype=np.uint8)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    canvas[top : top + height, left : left + width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


def _drawn(
    frames: Iterable[np.ndarray], parse: VideoParse, taxonomy: Taxonomy, min_state_score: float = LEAST_STATE_SCORE
) -> Iterator[np.ndarray]:
    action = parse.action()
    header: dict[str, Any] = {}
    if action is not None:
        if len(parse.action_scores["action"]) != len(taxonomy.actions):
            raise InputError(
                f"the parse of {parse.video} has {len(parse.action_scores['action'])} actions and the taxonomy names "
                f"{len(taxonomy.actions)}: use the lists it was made with"
            )
        header = {"action": taxonomy.actions[action], "action_score": float(parse.action_scores["action"][action])}
    coming = iter(parse.frames)
    current, following = FrameParse(1, np.zeros((0, 4))), next(coming, None)
    for number, image in enumerate(frames, start=1):
        if parse.size != (0, 0) and image.shape[:2] != parse.size:
            raise InputError(f"{parse.video} was parsed at {parse.size} and frame {number} is {image.shape[:2]}")
        while following is not None and following.frame_index <= number:
            current, following = following, next(coming, None)
        shown = current.take(current.scores >= _SHOWN_PERSON)
        yield draw_parse(image, shown, taxonomy, min_part_score=_SHOWN_PART, min_state_score=min_state_score, **header)


def _add_stream(file: av.container.OutputContainer, frame: np.ndarray, rate: Fraction) -> av.VideoStream:
    stream = file.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
    height, width = frame.shape[:2]
    stream.height, stream.width = height + height % 2, width + width % 2
    stream.pix_fmt = "yuv420p"
    # Untagged, players guess the matrix from the height and colours drift.
    stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
    stream.codec_context.color_range = 1
    return stream


def _to_yuv(frame: np.ndarray) -> av.VideoFrame:
    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)


def _check_frame(frame: np.ndarray, number: int, shape: tuple[int, ...]) -> None:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
        raise ValueError(f"frame {number} is {frame.dtype} {frame.shape}, expected uint8 (H, W, 3)")
    if frame.shape != shape:
        raise ValueError(f"frame {number} is {frame.shape} and frame 1 is {shape}: one video has one size")
