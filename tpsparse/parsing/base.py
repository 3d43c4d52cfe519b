"""What a stage of a parsing run is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..datasets.video import Video
from ..errors import InputError
from ..runtime import Runtime
from ..structures import FrameParse, VideoParse
from .window import Window

if TYPE_CHECKING:
    from .network import TrainedNetwork


class Stage:
    """One step of a parsing run: it wraps a trained network, or a rule, and does one thing to the record.

    A stage fills windows of frames (:meth:`parse_window`; a rule on single records may have :meth:`parse_frames` in its
    place), whole videos (:meth:`parse_video`), or both. It names the fields it ``needs`` and those it ``gives``; a
    field is written as ``boxes``, ``feature:context`` or ``action:fusion``.

    Attributes:
        depends_on: What the results follow from besides the config and the weights, such as a data set's digest or a
            library's version; saved records of another are made again.
        reads: Features that :meth:`parse_video` takes of every frame; others are forgotten in a run that keeps no
            features, but for the frames that a stage has asked for.
    """

    needs: Sequence[str] = ()
    gives: Sequence[str] = ()
    depends_on: str | None = None
    reads: Sequence[str] = ()

    def use(self, runtime: Runtime) -> None:
        """Run as a system's config says, which concerns networks alone."""

    def frame_numbers(self, num_frames: int) -> list[int]:
        """Frames, from 1, that this stage wants parsed in a video of ``num_frames``."""
        return []

    def parse_window(self, window: Window) -> None:
        """Fill columns of a window of frames."""
        frames = window.records()
        self.parse_frames(window.images.cpu().numpy(), frames)
        for frame in frames:
            frame.check()
        window.take(frames)

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Fill the records of T frames, given as (T, H, W, 3) uint8 RGB."""
        window = Window.of(images, frames)
        with torch.inference_mode():
            self.parse_window(window)
        window.write(frames)

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Fill the record of a video whose frames this stage has been through."""

    @property
    def sees_frames(self) -> bool:
        """Whether it fills single frames."""
        own = type(self)
        return own.parse_frames is not Stage.parse_frames or own.parse_window is not Stage.parse_window


class NetworkStage(Stage):
    """A stage that wraps a trained network.

    Attributes:
        network: The network.
        runtime: How it is run on this machine.
    """

    network: TrainedNetwork
    runtime = Runtime()

    def use(self, runtime: Runtime) -> None:
        """Run the network as a system's config says.

        Raises:
            InputError: If it cannot be run so.
        """
        self.runtime = self.network.use(runtime)


def check_row(stages: Sequence[Stage]) -> None:
    """Refuse a row of stages in which one needs what no earlier one gives.

    Raises:
        InputError: Naming the stage, the field, and what is given before it.
    """
    given: list[str] = []
    for stage in stages:
        for need in stage.needs:
            if need not in given:
                name = type(stage).__name__
                before = ", ".join(given) or "nothing"
                raise InputError(f"stage {name} needs {need}, but the stages before it give {before}: add or move one")
        given.extend(stage.gives)
