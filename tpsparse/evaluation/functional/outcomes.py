"""One video's annotated parts and what became of each: the rows that the evaluation sums up, and why a part lost.

Shapes: T counted frames, P annotated persons, N annotated parts, M proposals. Boxes are ``xyxy`` in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from ...errors import InputError
from .matching import inclusive_iou, match_persons
from .official import frame_problems, kind_of, limit_problems, proposals_of
from .psc import frame_means, part_rewards, video_psc


class Outcome(IntEnum):
    """What became of an annotated part, from best to worst."""

    RIGHT = 0
    WRONG_STATE = 1
    """A proposal is where the part is, none of those that are has its state."""
    NOT_LOCATED = 2
    """Its person is found, but no proposal reaches the IoU, or there is none."""
    NO_PERSON = 3
    """No predicted person is matched to its person, or the frame is missing from the prediction."""


@dataclass(frozen=True)
class PartOutcomes:
    """What became of a video's N annotated parts; ``losses.sum() + frame_loss`` is 1 - PSC.

    Args:
        parts: (N,) names.
        states: (N,) annotated states.
        outcomes: (N,) :class:`Outcome`.
        losses: (N,) what each part takes from the PSC: 1 minus its reward, over the parts of its frame and the counted
            frames. A right part has a loss only where it shares its reward among several proposals.
        found_states: (N,) state of the best located proposal, a right one if there is any; None where none is located.
        frame_loss: What frames take that are missing from the prediction, count 0 and have no annotated part.
        psc: The video's PSC.
    """

    parts: list[str]
    states: list[str]
    outcomes: np.ndarray
    losses: np.ndarray
    found_states: list[str | None]
    frame_loss: float
    psc: float


@dataclass
class VideoRows:
    """One video's annotated parts and the proposals that compete for them, as growing columns."""

    part_names: list[str] = field(default_factory=list)
    part_persons: list[int] = field(default_factory=list)
    part_boxes: list[list[float]] = field(default_factory=list)
    part_states: list[str] = field(default_factory=list)
    person_frames: list[int] = field(default_factory=list)
    person_found: list[bool] = field(default_factory=list)
    proposal_parts: list[int] = field(default_factory=list)
    proposal_boxes: list[list[float]] = field(default_factory=list)
    proposal_states: list[str] = field(default_factory=list)
    num_frames: int = 0
    # Frames that are missing from the prediction count 0 even where no part is annotated in them.
    missing_frames: list[int] = field(default_factory=list)

    def add_person(self, human: dict[str, Any], match: dict[str, Any] | None) -> None:
        """Add an annotated person of the latest frame, and the proposals of its match."""
        self.person_frames.append(self.num_frames - 1)
        self.person_found.append(match is not None)
        for name, part in human["parts"].items():
            boxes, states = proposals_of(part)
            self.part_names.append(name)
            self.part_persons.append(len(self.person_frames) - 1)
            self.part_boxes.append(boxes[0])
            self.part_states.append(states[0])
            if match is not None and name in match["parts"]:
                self._add_proposals(match["parts"][name])

    def _add_proposals(self, part: dict[str, Any]) -> None:
        boxes, states = proposals_of(part)
        self.proposal_parts.extend([len(self.part_names) - 1] * len(boxes))
        self.proposal_boxes.extend(boxes)
        self.proposal_states.extend(states)

    def rewards(self, threshold: float) -> np.ndarray:
        """(N,) rewards of the annotated parts."""
        ids: dict[str, int] = {}
        states, proposal_states = (
            np.array([ids.setdefault(name, len(ids)) for name in names], dtype=np.int64)
            for names in (self.part_states, self.proposal_states)
        )
        return part_rewards(
            _boxes(self.part_boxes),
            states,
            proposal_boxes=_boxes(self.proposal_boxes),
            proposal_states=proposal_states,
            proposal_parts=np.array(self.proposal_parts, dtype=np.int64),
            threshold=threshold,
        )

    def psc(self, rewards: np.ndarray) -> float:
        """PSC of the video from its parts' rewards (N,)."""
        part_persons = np.array(self.part_persons, dtype=np.int64)
        person_frames = np.array(self.person_frames, dtype=np.int64)
        frames = frame_means(rewards, part_persons, person_frames, self.num_frames)
        frames[self.missing_frames] = 0.0
        return video_psc(frames)

    def outcomes(self, threshold: float) -> PartOutcomes:
        """What became of each part, for the same ``threshold`` as :meth:`rewards`."""
        rewards = self.rewards(threshold)
        persons, of_part = np.array(self.part_persons, dtype=np.int64), np.array(self.proposal_parts, dtype=np.int64)
        iou = inclusive_iou(_boxes(self.part_boxes)[of_part], _boxes(self.proposal_boxes))
        right = np.array([self.part_states[part] == state for part, state in zip(of_part, self.proposal_states)])
        # The best comes last and so stays: located before not, then with the right state, then by IoU.
        order = np.lexsort((iou, right, iou >= threshold))
        order = order[iou[order] >= threshold]
        best = np.full(len(rewards), -1)
        best[of_part[order]] = order
        found = np.array(self.person_found, dtype=bool)[persons]
        failures = np.where(best >= 0, Outcome.WRONG_STATE, np.where(found, Outcome.NOT_LOCATED, Outcome.NO_PERSON))
        weights, frame_loss = self._weights(persons)
        return PartOutcomes(
            parts=self.part_names,
            states=self.part_states,
            outcomes=np.where(rewards > 0, Outcome.RIGHT, failures),
            losses=(1 - rewards) * weights,
            found_states=[self.proposal_states[row] if row >= 0 else None for row in best],
            frame_loss=frame_loss,
            psc=self.psc(rewards),
        )

    def _weights(self, part_persons: np.ndarray) -> tuple[np.ndarray, float]:
        """(N,) share of the PSC that each part decides, and the share of missing frames that have no part."""
        frames = np.array(self.person_frames, dtype=np.int64)[part_persons]
        parts = np.bincount(frames, minlength=self.num_frames)
        empty = [frame for frame in self.missing_frames if parts[frame] == 0]
        counted = np.count_nonzero(parts) + len(empty)
        return 1 / (parts[frames] * counted), len(empty) / max(counted, 1)


def collect_video(video: str, truth: dict[str, Any], prediction: Any, human_iou: float) -> VideoRows:
    """The rows of one video, its persons matched at ``human_iou``.

    Args:
        video: Its name, for messages.
        truth: Frame to persons, checked by ``kinetics_tps.check_ground_truth``.
        prediction: Frame to persons.
        human_iou: Persons match above this IoU.

    Raises:
        InputError: If the prediction holds what the released script would stop at.
    """
    if not isinstance(prediction, dict):
        raise InputError(f"pred_part_result, {video}: the video is {kind_of(prediction)}, write an object of frames")
    rows = VideoRows()
    for frame, content in truth.items():
        humans = content["humans"]
        if not humans:
            continue
        rows.num_frames += 1
        matches: dict[int, dict[str, Any]] = {}
        if frame in prediction:
            predicted = _predicted_humans(video, frame, prediction[frame])
            pairs = match_persons(_boxes([h["box"] for h in humans]), _boxes([h["box"] for h in predicted]), human_iou)
            matches = {int(i): predicted[j] for i, j in zip(*pairs)}
        else:
            rows.missing_frames.append(rows.num_frames - 1)
        for i, human in enumerate(humans):
            rows.add_person(human, matches.get(i))
    return rows


def _predicted_humans(video: str, frame: str, content: Any) -> list[dict[str, Any]]:
    for find in (frame_problems, limit_problems):
        for problem in find(content):
            raise InputError(f"pred_part_result, {video}, {frame}, {problem.key}: {problem.message}")
    return content["humans"]


def _boxes(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
