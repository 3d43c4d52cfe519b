"""What a stage of a parsing run is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..datasets.video import Video
from ..errors import InputError
from ..structures import FrameParse, VideoParse


class Stage:
    """One step of a parsing run: it wraps a trained network, or a rule, and does one thing to the record.

    A stage fills single frames (:meth:`parse_frames`), whole videos (:meth:`parse_video`), or both. It names the
    fields it ``needs`` and those it ``gives``; a field is written as ``boxes``, ``feature:context`` or
    ``action:fusion``.

    Attributes:
        depends_on: What the results follow from besides the config and the weights, such as a data set's digest or a
            library's version; saved records of another are made again.
    """

    needs: Sequence[str] = ()
    gives: Sequence[str] = ()
    depends_on: str | None = None

    def frame_numbers(self, num_frames: int) -> list[int]:
        """Frames, from 1, that this stage wants parsed in a video of ``num_frames``."""
        return []

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Fill the records of T frames, given as (T, H, W, 3) uint8 RGB."""

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Fill the record of a video whose frames this stage has been through."""

    @property
    def sees_frames(self) -> bool:
        """Whether it fills single frames."""
        return type(self).parse_frames is not Stage.parse_frames


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
