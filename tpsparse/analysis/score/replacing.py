"""Which stage holds a system back: its predictions replaced by ground truth, in any combination, and scored again.

This is the diagnostic experiment of the DAP report (table 1). No network is run again: what is replaced is replaced in
the record (:class:`VideoParse` in, :class:`VideoParse` out), which is then scored as any other. What that means where
a network would have seen something else is a choice, and made as follows.

actor
    The persons become the annotated ones, box for box. Each takes the parts and states of the predicted person that
    the metric's one-to-one matching gives it at any overlap above 0: what is right of a badly placed person's parts
    is credited to the parts, not to the detector. An annotated person without one has no predicted parts, for no
    network has looked at it. Frames that the record lacks are there, with persons and without parts.
part boxes
    Each predicted person that the metric matches to an annotated one takes its annotated part boxes; its states stay
    its own, taken from its state scores even where it had no box for the part, since a state is predicted for every
    part. Persons without a match stay as they are: nothing says which boxes would be theirs. Where the record knows no
    state for a part, an annotated box alone is no proposal.
part states
    Each predicted person that is matched takes the annotated state of every part. A part without a box stays without.
action
    The video's action becomes the annotated one.

The order is actor, part boxes, part states, so that with the actor replaced all annotated persons are matched. With
everything replaced the score is 0.9999, the highest there is, as long as no frame has more annotated persons than the
ten that a submission may hold.

Shapes: P predicted persons, N annotated ones, K parts, S states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InputError
from ...evaluation.functional import match_persons
from ...evaluation.functional.official import LARGEST_COORDINATE, MAX_PERSONS, is_evaluated
from ...structures import FrameParse, VideoParse
from ...structures.boxes import is_present

HUMAN_IOU = 0.5


@dataclass(frozen=True)
class Row:
    """What is replaced by ground truth; ``paper`` is what the report's system scores so, in per cent, NaN if untold."""

    actor: bool = False
    part_boxes: bool = False
    part_states: bool = False
    action: bool = False
    paper: float = float("nan")

    @property
    def name(self) -> str:
        """What is replaced, in words."""
        names = ("actor", "part_boxes", "part_states", "action")
        return " + ".join(name.replace("_", " ") for name in names if getattr(self, name)) or "as is"


ROWS = (
    Row(paper=33.32),
    Row(actor=True, paper=35.33),
    Row(part_boxes=True, paper=36.22),
    Row(part_boxes=True, part_states=True, paper=72.46),
    Row(action=True, paper=42.20),
    Row(part_states=True, paper=45.60),
    Row(actor=True, part_boxes=True, paper=38.10),
    Row(actor=True, part_boxes=True, part_states=True, paper=77.30),
    Row(actor=True, action=True, paper=44.76),
    Row(part_boxes=True, part_states=True, action=True, paper=93.41),
    Row(actor=True, part_boxes=True, part_states=True, action=True, paper=99.90),
)
"""Table 1 of the report, in its order."""


@dataclass(frozen=True)
class _Pair:
    """An evaluated frame with annotated persons, and what was predicted of it; None where the record lacks it."""

    predicted: FrameParse | None
    truth: FrameParse


class Replacement:
    """One video, whose predictions can be replaced in any combination.

    Args:
        parse: The record of the system.
        truth: The annotation.
        num_parts: K.
        human_iou: Above which the metric matches persons.

    Raises:
        InputError: If the record is of another number of parts.
        ValueError: If the two are of different videos.
    """

    def __init__(self, parse: VideoParse, truth: VideoParse, num_parts: int, *, human_iou: float = HUMAN_IOU) -> None:
        if parse.video != truth.video:
            raise ValueError(f"the record is of {parse.video} but the annotation of {truth.video}")
        self.parse, self.truth = parse, truth
        self.human_iou = human_iou
        records = {frame.frame_index: frame for frame in parse.frames}
        self._pairs = []
        for frame in truth.frames:
            if is_evaluated(frame.frame_index):
                record = records.get(frame.frame_index)
                predicted = None if record is None else self._with_num_parts(_submitted(record), num_parts)
                annotated = frame.take(_is_usable(frame.boxes))
                self._pairs.append(_Pair(predicted, self._with_num_parts(annotated, num_parts)))

    def replaced(self, row: Row) -> VideoParse:
        """The record of the evaluated frames, with what ``row`` says replaced by the annotation."""
        frames = []
        for pair in self._pairs:
            frame = self._with_actors(pair) if row.actor else pair.predicted
            if frame is None:
                continue
            if row.part_boxes or row.part_states:
                frame = self._with_parts(frame, pair.truth, row)
            frames.append(frame)
        return VideoParse(
            self.parse.video,
            size=self.truth.size,
            num_frames=self.truth.num_frames,
            frames=frames,
            action_scores=dict((self.truth if row.action else self.parse).action_scores),
        )

    def _with_num_parts(self, frame: FrameParse, num_parts: int) -> FrameParse:
        """The frame with boxes and states of K parts, absent ones where it has none."""
        shape = (len(frame), num_parts)
        boxes = np.full((*shape, 4), np.nan, dtype=np.float32) if frame.part_boxes is None else frame.part_boxes
        states = np.full(shape, -1, dtype=np.int64) if frame.part_states is None else frame.part_states
        if len(frame) and boxes.shape[1] != num_parts:
            told = f"{self.parse.video}: a record of {boxes.shape[1]} parts, the data set has {num_parts}"
            raise InputError(f"{told}: test the system on this data set again")
        boxes, states = boxes.reshape(*shape, 4), states.reshape(shape)
        return FrameParse(frame.frame_index, frame.boxes, frame.scores, part_boxes=boxes, part_states=states)

    def _with_actors(self, pair: _Pair) -> FrameParse:
        truth, predicted = pair.truth, pair.predicted
        boxes, states = np.full_like(truth.part_boxes, np.nan), np.full_like(truth.part_states, -1)
        if predicted is not None:
            ours, theirs = match_persons(_written(truth.boxes), _written(predicted.boxes), 0.0)
            boxes[ours], states[ours] = _parts(predicted, theirs)
        return FrameParse(truth.frame_index, truth.boxes, part_boxes=boxes, part_states=states)

    def _with_parts(self, frame: FrameParse, truth: FrameParse, row: Row) -> FrameParse:
        theirs, ours = match_persons(_written(truth.boxes), _written(frame.boxes), self.human_iou)
        boxes, states = (array.copy() for array in _parts(frame))
        true_boxes, true_states = _parts(truth, theirs)
        if row.part_boxes:
            boxes[ours] = true_boxes
        if row.part_states:
            states[ours] = np.where(true_states >= 0, true_states, states[ours])
        return FrameParse(frame.frame_index, frame.boxes, frame.scores, part_boxes=boxes, part_states=states)


def _parts(frame: FrameParse, persons: Any = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Part boxes (P, K, 4) and states (P, K) of a frame that has both."""
    assert frame.part_boxes is not None and frame.part_states is not None
    return frame.part_boxes[persons], frame.part_states[persons]


def _submitted(frame: FrameParse) -> FrameParse:
    """The persons that a submission holds, with a state for every part of which one is known, boxed or not."""
    order = np.argsort(-frame.scores, kind="stable")
    frame = frame.take(order[_is_usable(frame.boxes[order])][:MAX_PERSONS])
    boxes, given = frame.part_boxes, frame.part_states
    if frame.state_scores is None or not frame.state_scores.size:
        return frame
    known = np.isfinite(frame.state_scores).all(axis=2)
    states = np.where(known, frame.state_scores.argmax(axis=2), -1)
    if given is not None:
        # States that a stage has given stand before the scores, as in FrameParse.states. A box whose state that stage
        # took away is no proposal, and must not become one here.
        states = np.where(given >= 0, given, states)
        boxes = None if boxes is None else np.where((is_present(boxes) & (given < 0))[..., None], np.nan, boxes)
    return FrameParse(frame.frame_index, frame.boxes, frame.scores, part_boxes=boxes, part_states=states)


def _is_usable(boxes: np.ndarray) -> np.ndarray:
    """(N,) whether a submission can hold the boxes (N, 4): finite and not inverted."""
    ordered = (boxes[..., 2:] >= boxes[..., :2]).all(axis=-1)
    return ordered & (np.abs(boxes) <= LARGEST_COORDINATE).all(axis=-1)


def _written(boxes: np.ndarray) -> np.ndarray:
    """Boxes as they stand in the challenge's files, whose two decimals decide who is matched at a threshold."""
    return np.round(boxes.astype(np.float64), 2)
