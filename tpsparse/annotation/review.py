"""A video of a clip with its labels drawn on, to look through before anything is trained on them.

Shapes: P rows of persons, J = 17 COCO keypoints. Frames are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..datasets.video import Video, frames_of
from ..poses.landmarks import COCO_KEYPOINTS
from ..structures.parse import FrameParse, VideoParse
from ..taxonomy import Taxonomy
from ..visualization import write_overlay
from .labels import Person, usable_fps

_LEAST_SCORE = 0.5  # pictures leave out persons that are hardly sure, and the rows after them would move up


def write_review(
    path: Path, video: Video, frames: Sequence[Sequence[Person]], taxonomy: Taxonomy, *, action: str
) -> None:
    """Write the overlay of one clip.

    Args:
        path: Of the mp4.
        video: The clip.
        frames: The persons of every frame, from frame 1.
        taxonomy: The names that the labels use.
        action: The clip's label.
    """
    scores = np.zeros(len(taxonomy.actions), dtype=np.float32)
    scores[taxonomy.action_ids[action]] = 1
    parse = VideoParse(
        video=video.name,
        size=video.size,
        num_frames=len(frames),
        fps=video.fps,
        frames=[_frame_parse(number, persons, taxonomy) for number, persons in enumerate(frames, start=1)],
        action_scores={"action": scores},
    )
    write_overlay(path, frames_of(video), parse, taxonomy, usable_fps(video.fps))


def _frame_parse(number: int, persons: Sequence[Person], taxonomy: Taxonomy) -> FrameParse:
    """The labels as a record whose row is the person's number, since pictures show rows; rows between are empty."""
    rows = max((person.number for person in persons), default=0)
    parts, joints = len(taxonomy.parts), len(COCO_KEYPOINTS)
    frame = FrameParse(
        frame_index=number,
        boxes=np.full((rows, 4), np.nan, dtype=np.float32),
        keypoints=np.full((rows, joints, 3), np.nan, dtype=np.float32),
        part_boxes=np.full((rows, parts, 4), np.nan, dtype=np.float32),
        part_scores=np.ones((rows, parts), dtype=np.float32),
        part_states=np.full((rows, parts), -1, dtype=np.int64),
    )
    for person in persons:
        row = person.number - 1
        frame.boxes[row], frame.keypoints[row] = person.box, person.keypoints  # type: ignore[index]
        frame.scores[row] = max(person.score, _LEAST_SCORE)
        for name, (box, state) in person.parts.items():
            part = taxonomy.part_ids.get(name)
            if part is not None:  # labels that were corrected may have names that are in no list, which the index tells
                frame.part_boxes[row, part] = box  # type: ignore[index]
                frame.part_states[row, part] = taxonomy.state_ids.get(state, -1)  # type: ignore[index]
    return frame
