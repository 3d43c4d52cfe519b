"""Going on from what another run has saved."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..datasets.video import Video
from ..errors import InputError
from ..registry import STAGES
from ..structures import VideoParse
from ..taxonomy import Taxonomy
from .base import Stage


@STAGES.register_module()
class ReadParse(Stage):
    """Take a video's record from a folder of saved parses, in place of the stages that made it.

    Args:
        folder: Saved parses, one file a video.
        gives: The fields that those stages gave.
    """

    def __init__(self, *, folder: str, gives: Sequence[str], taxonomy: Taxonomy) -> None:
        self.folder = Path(folder)
        self.gives = list(gives)

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Replace the record by the saved one.

        Raises:
            InputError: If there is none, or it is broken.
        """
        path = self.folder / f"{video.name}.safetensors"
        if not path.is_file():
            raise InputError(f"{path} is missing: run the system whose parses are read with tools/reproduce.py first")
        saved = VideoParse.load(path)
        for field in dataclasses.fields(VideoParse):
            setattr(parse, field.name, getattr(saved, field.name))
