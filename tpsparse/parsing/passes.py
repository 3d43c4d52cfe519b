"""One pass over a video: windows of frames through the stages of frames, the same frames into the clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmengine.device import get_device

from ..datasets.video import Video
from ..structures import FrameParse, VideoParse
from .base import Stage
from .clips import ClipPlan, ClipStage
from .decode_ahead import decode_ahead
from .window import Window

WINDOW_BYTES = 1 << 26
"""Decoded frames of a window; about three windows are alive at a time."""
MOST_FRAMES = 64
"""In a window: beyond that only memory grows."""


def run_pass(
    stages: Sequence[Stage],
    video: Video,
    parse: VideoParse,
    *,
    batch_frames: int,
    forget: Callable[[list[FrameParse]], None] | None = None,
) -> None:
    """Decode a video once and run the stages of frames and of clips on it.

    Memory is bounded whatever the length of the video, but for the records and the frames that clips wait for.

    Args:
        stages: In order; those of clips may stand anywhere, those that see no frames are passed over.
        video: The video.
        parse: Its record, with the frames to parse.
        batch_frames: Frames of a batch, of which a window holds a multiple.
        forget: Is given a window's records behind the last stage, to drop what is not needed any more.

    Raises:
        InputError: If decoding ends before a wanted frame.
    """
    frame_stages = [stage for stage in stages if stage.sees_frames]
    plan = ClipPlan([stage for stage in stages if isinstance(stage, ClipStage)], video)
    records = {frame.frame_index: frame for frame in parse.frames} if frame_stages else {}
    numbers = sorted(plan.wanted() | records.keys())
    for there, images in decode_ahead(video, numbers, window_length(video.size, batch_frames)):
        rows = [row for row, number in enumerate(there) if number in records]
        if rows:
            parsed = images if len(rows) == len(images) else images[rows]
            frames = [records[there[row]] for row in rows]
            _parse_window(frame_stages, parsed, frames)
            if forget is not None:
                forget(frames)
        plan.see(there, images)
    plan.finish(parse)


def window_length(size: tuple[int, int], batch_frames: int) -> int:
    """Frames in a window of a video of ``size`` (height, width): as many whole batches as there is room for."""
    room = min(MOST_FRAMES, WINDOW_BYTES // (size[0] * size[1] * 3))
    return max(1, room // batch_frames * batch_frames if room >= batch_frames else room)


def _parse_window(stages: Sequence[Stage], images: np.ndarray, frames: list[FrameParse]) -> None:
    window = Window.of(torch.from_numpy(images).to(get_device()), frames)
    for stage in stages:
        stage.parse_window(window)
    window.write(frames)
