"""Clips for the benchmark of the pipeline: people who dance, drawn by the synthetic renderer, in H.264.

Shapes: T frames of H x W pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from tree import encode_clip

DRAWN = 300
"""Different frames of a long clip, 10 seconds; it shows them again and again."""


def draw(frames: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """(T, H, W, 3) RGB of a scene; ``size`` is (height, width)."""
    from tpsparse.datasets.synthetic.actions import ACTIONS
    from tpsparse.datasets.synthetic.scene import plan_scene

    dance = next(action for action in ACTIONS if action.name == "country_line_dancing")
    scene = plan_scene(np.random.default_rng(seed), dance, frames=frames, size=size)
    return np.stack([scene.render(frame)[0] for frame in range(frames)])


def make_clip(folder: Path, *, frames: int, size: tuple[int, int]) -> Path:
    """A clip of that many frames in a folder, drawn unless it is there.

    Raises:
        ValueError: If there are more than :data:`DRAWN` frames, and not a multiple of it.
    """
    path = folder / f"dance_{size[1]}x{size[0]}_{frames}.mp4"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    if frames <= DRAWN:
        encode_clip(partial, draw(frames, size))
    elif frames % DRAWN == 0:
        repeat_clip(make_clip(folder, frames=DRAWN, size=size), partial, times=frames // DRAWN)
    else:
        raise ValueError(f"{frames} frames are no multiple of {DRAWN}")
    partial.rename(path)
    return path


def repeat_clip(path: Path, out: Path, *, times: int) -> None:
    """A clip several times in a row, without encoding it again."""
    with av.open(str(path)) as source, av.open(str(out), "w", format="mp4") as file:
        own: Any = source.streams.video[0]
        stream = file.add_stream_from_template(own)
        for number in range(times):
            source.seek(0)
            for packet in source.demux(own):
                if packet.dts is not None:  # the last one is empty
                    packet.pts += number * own.duration
                    packet.dts += number * own.duration
                    packet.stream = stream
                    file.mux(packet)
