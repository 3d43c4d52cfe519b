"""Going on from what is there already: what another run has saved, or what is annotated.

Shapes: P persons in a frame, K parts, A actions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..datasets.index import open_index
from ..datasets.layout import SPLITS, videos_folder
from ..datasets.video import Video
from ..errors import InputError
from ..registry import STAGES
from ..structures import FrameObjects, FrameParse, VideoParse
from ..taxonomy import Taxonomy
from .base import Stage
from .network import fingerprint

ANNOTATED = ("boxes", "part_boxes", "objects", "action")
"""What an annotation can give of a record; states are what is to be predicted."""


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


@STAGES.register_module()
class ReadAnnotation(Stage):
    """Take what is annotated of a video, in place of the stages that would predict it.

    A parsed frame gets its annotated persons and their parts, and its objects, with scores of 1 and in the annotation's
    order; a frame that is not annotated has no person and no object. What comes after is then measured alone.

    Args:
        data_root: The data set.
        split: The videos; by default all that are annotated.
        gives: Of ``boxes``, ``part_boxes``, which needs the boxes, ``objects`` and ``action``.

    Raises:
        InputError: If ``gives`` names anything else.
    """

    def __init__(
        self,
        *,
        data_root: str,
        taxonomy: Taxonomy,
        split: str | None = None,
        gives: Sequence[str] = ("boxes", "part_boxes"),
    ) -> None:
        unknown = [name for name in gives if name not in ANNOTATED]
        if unknown or ("part_boxes" in gives and "boxes" not in gives):
            raise InputError(
                f"ReadAnnotation cannot give {', '.join(unknown) or 'part_boxes without boxes'}: "
                f"name some of {', '.join(ANNOTATED)}"
            )
        self.data_root, self.taxonomy = data_root, taxonomy
        self.gives = list(gives) + ["scores"] * ("boxes" in gives) + ["part_scores"] * ("part_boxes" in gives)
        there = [each for each in SPLITS if videos_folder(Path(data_root), each).is_dir()]
        indices = [open_index(data_root, each, taxonomy) for each in (there if split is None else [split])]
        self.depends_on = fingerprint([index.digest() for index in indices])
        self.places = {
            (entry.path.parent.name, entry.name): (index, i)
            for index in indices
            for i, entry in enumerate(index.videos)
        }

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give what is annotated of the parsed frames.

        Raises:
            InputError: If nothing is annotated of this video.
        """
        index, position = self.places.get((video.path.parent.name, video.name), (None, -1))
        truth = None if index is None else index.ground_truth(position)
        if truth is None:
            raise InputError(f"{video.path} is not annotated in {self.data_root}: annotate it or leave it out")
        annotated = {frame.frame_index: frame for frame in truth.frames}
        for frame in parse.frames:
            self._fill(frame, annotated.get(frame.frame_index))
        if "action" in self.gives:
            parse.action_scores["action"] = truth.action_scores["action"]

    def _fill(self, frame: FrameParse, truth: FrameParse | None) -> None:
        if "objects" in self.gives:
            frame.objects = FrameObjects.none() if truth is None else truth.objects
        if "boxes" in self.gives:
            self._fill_persons(frame, truth)

    def _fill_persons(self, frame: FrameParse, truth: FrameParse | None) -> None:
        parts = len(self.taxonomy.parts)
        frame.boxes = np.zeros((0, 4), dtype=np.float32) if truth is None else truth.boxes
        frame.scores = np.ones(len(frame), dtype=np.float32)
        if "part_boxes" in self.gives:
            empty = np.zeros((0, parts, 4), dtype=np.float32)
            frame.part_boxes = empty if truth is None or truth.part_boxes is None else truth.part_boxes
            frame.part_scores = (~np.isnan(frame.part_boxes).any(axis=2)).astype(np.float32)
        frame.check()
