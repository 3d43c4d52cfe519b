"""The Kinetics-TPS evaluation over the challenge's own dictionaries.

Follows the released script (see ``matching.py``, ``psc.py`` and ``score.py`` for the points where the README
differs), with one addition: a video that the prediction lacks is scored as one without frames and with a wrong
action, where the script stops.

Shapes: V videos, T counted frames of a video, P annotated persons, N annotated parts, M proposals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InputError
from .official import frame_problems, kind_of, proposals_of
from .outcomes import VideoRows, collect_video
from .score import psc_accuracy, psc_score


@dataclass(frozen=True)
class TPSResult:
    """What the evaluation found; every number lies in [0, 1].

    Args:
        score: The challenge's score.
        action_top1: Share of videos whose action is right.
        mean_psc: Mean of the videos' PSC, whatever their action.
        psc: PSC by video.
        action_correct: Whether the action is right, by video.
        part_accuracy: By part name, the share of its annotated instances for which any proposal was correct.
            All annotated instances count: also of persons without a match and of frames missing from the
            prediction. The number of proposals does not lower it.
    """

    score: float
    action_top1: float
    mean_psc: float
    psc: dict[str, float]
    action_correct: dict[str, bool]
    part_accuracy: dict[str, float]

    def accuracy_at(self, threshold: float) -> float:
        """Share of videos whose action is right and whose PSC is at least ``threshold``."""
        psc, correct = np.array(list(self.psc.values())), np.array(list(self.action_correct.values()))
        return float(psc_accuracy(psc, correct, np.array([threshold]))[0])

    def to_json(self) -> dict[str, Any]:
        """The report that files hold."""
        names = ("score", "action_top1", "mean_psc", "psc", "action_correct", "part_accuracy")
        return {name: getattr(self, name) for name in names}


def evaluate(
    gt_parts: dict[str, Any],
    gt_actions: dict[str, str],
    pred_parts: dict[str, Any],
    pred_actions: dict[str, str],
    *,
    human_iou: float = 0.5,
    part_iou: float = 0.3,
) -> TPSResult:
    """Score a prediction against the ground truth.

    Args:
        gt_parts: Video to frame to persons, one box and one state a part.
        gt_actions: Video to action; its videos are the evaluated ones.
        pred_parts: As ``gt_parts``, with proposals in either released shape.
        pred_actions: Video to action.
        human_iou: Persons match above this IoU.
        part_iou: A part is located from this IoU on.

    Raises:
        InputError: If the ground truth cannot be used, or an evaluated frame of the prediction holds what the
            script would stop at (``validation.validate_submission`` lists everything at once).
        ValueError: If a threshold is outside [0, 1].
    """
    for name, threshold in (("human_iou", human_iou), ("part_iou", part_iou)):
        if not 0 <= threshold <= 1:
            raise ValueError(f"{name} is {threshold}, expected a number in [0, 1]")
    for name, content in (("pred_part_result", pred_parts), ("pred_vid_result", pred_actions)):
        if not isinstance(content, dict):
            raise InputError(f"{name} is {kind_of(content)}: write an object with one entry a video")
    check_ground_truth(gt_parts, gt_actions)
    videos = {
        video: collect_video(video, gt_parts[video], pred_parts.get(video, {}), human_iou) for video in gt_actions
    }
    rewards = {video: rows.rewards(part_iou) for video, rows in videos.items()}
    psc = {video: rows.psc(rewards[video]) for video, rows in videos.items()}
    correct = {video: pred_actions.get(video) == action for video, action in gt_actions.items()}
    return summarise(psc, correct, _part_accuracy(videos, rewards))


def summarise(psc: dict[str, float], action_correct: dict[str, bool], part_accuracy: dict[str, float]) -> TPSResult:
    """The result of videos that were scored one by one, from their PSC and whether their actions are right.

    Raises:
        InputError: If there is no video.
    """
    if not psc:
        raise InputError("no video was scored: give at least one with ground truth")
    psc_values, correct_values = np.array(list(psc.values())), np.array([action_correct[video] for video in psc])
    return TPSResult(
        score=psc_score(psc_values, correct_values),
        action_top1=float(correct_values.mean()),
        mean_psc=float(psc_values.mean()),
        psc=psc,
        action_correct=action_correct,
        part_accuracy=part_accuracy,
    )


def check_ground_truth(gt_parts: Any, gt_actions: Any) -> None:
    """Refuse a ground truth that cannot be scored against.

    Raises:
        InputError: Naming the first video, frame and key at fault.
    """
    for name, value in (("gt_part_result", gt_parts), ("gt_vid_result", gt_actions)):
        if not isinstance(value, dict) or not value:
            found = "empty" if isinstance(value, dict) else kind_of(value)
            raise InputError(f"{name} is {found}: write an object with one entry a video")
    for video, action in gt_actions.items():
        if not isinstance(action, str):
            raise InputError(f"gt_vid_result, {video}: the action is {kind_of(action)}, write its name")
        frames = gt_parts.get(video)
        if not isinstance(frames, dict):
            found = kind_of(frames) if video in gt_parts else "missing"
            raise InputError(f"gt_part_result, {video}: the video is {found}, write an object with one entry a frame")
        for frame, content in frames.items():
            for key, message in _truth_problems(content):
                raise InputError(f"gt_part_result, {video}, {frame}, {key}: {message}")


def _truth_problems(frame: Any) -> list[tuple[str, str]]:
    problems = [(problem.key, problem.message) for problem in frame_problems(frame)]
    if problems:
        return problems
    return [
        (f"humans[{i}].parts.{name}", "an annotated part has exactly one box and one state")
        for i, human in enumerate(frame["humans"])
        for name, part in human["parts"].items()
        if len(proposals_of(part)[1]) != 1
    ]


def _part_accuracy(videos: dict[str, VideoRows], rewards: dict[str, np.ndarray]) -> dict[str, float]:
    counts: dict[str, int] = {}
    correct: dict[str, int] = {}
    for video, rows in videos.items():
        for name, reward in zip(rows.part_names, rewards[video]):
            counts[name] = counts.get(name, 0) + 1
            correct[name] = correct.get(name, 0) + int(reward > 0)
    return {name: correct[name] / counts[name] for name in sorted(counts)}
