"""Everything that is wrong with a submission, by video, frame and key.

Any JSON value is taken, none makes the validator stop. Two kinds of finding are told apart by the evaluator and not
here: some the released script stops at (a box missing, eleven persons), some it scores silently and surely not as
meant (inverted boxes, frames missing, names it has never heard of). Frames that the ground truth does not have, or
that are not evaluated where no ground truth is given, do not change the score, yet they are findings: they are how a
frame number that is off by one shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..taxonomy import Taxonomy
from .functional.official import (
    frame_name,
    frame_number,
    frame_problems,
    is_evaluated,
    is_sound_box,
    kind_of,
    limit_problems,
    proposals_of,
)

PARTS, ACTIONS = "pred_part_result", "pred_vid_result"


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a submission; ``video``, ``frame`` and ``key`` are empty where they do not apply."""

    video: str
    frame: str
    key: str
    message: str

    def __str__(self) -> str:
        place = " ".join(word for word in (self.video, self.frame, self.key) if word)
        # A name in the file may hold a line break, and a finding is one line.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"{place}: {self.message}")


@dataclass(frozen=True)
class _Names:
    """The names that may occur; None where they are not known."""

    parts: frozenset[str] | None
    states: frozenset[str] | None
    actions: frozenset[str] | None
    source: str


def validate_submission(
    pred_parts: Any,
    pred_actions: Any,
    *,
    gt_parts: Any = None,
    gt_actions: Any = None,
    taxonomy: Taxonomy | None = None,
) -> list[Finding]:
    """List what is wrong with a submission.

    Args:
        pred_parts: Content of ``pred_part_result.json``.
        pred_actions: Content of ``pred_vid_result.json``.
        gt_parts: Content of ``gt_part_result.json``; its videos and frames are then demanded.
        gt_actions: Content of ``gt_vid_result.json``; its videos are then demanded.
        taxonomy: The names that may occur. Without it the names of the ground truth are taken, if there is one.

    Returns:
        The findings in the order of the files; empty for a valid submission.
    """
    names = _names_of(taxonomy) if taxonomy else _names_in(gt_parts, gt_actions)
    findings: list[Finding] = []
    for source, content in ((PARTS, pred_parts), (ACTIONS, pred_actions)):
        if not isinstance(content, dict):
            findings.append(Finding("", "", source, f"the file holds {kind_of(content)}, expected an object"))
    parts, actions = _as_dict(pred_parts), _as_dict(pred_actions)
    findings += _check_videos(parts, actions, _as_dict(gt_parts), _as_dict(gt_actions))
    findings += _check_actions(actions, names)
    for video, frames in parts.items():
        truth = _as_dict(gt_parts).get(video)
        findings += _check_frames(str(video), frames, truth if isinstance(truth, dict) else None)
        for frame, content in _as_dict(frames).items():
            findings += _check_frame(str(video), str(frame), content, names)
    return findings


def _check_videos(
    parts: dict[str, Any], actions: dict[str, Any], gt_parts: dict[str, Any], gt_actions: dict[str, Any]
) -> Iterator[Finding]:
    known = {**gt_actions, **gt_parts}
    # The evaluated videos are those with an action; without a ground truth both files must name the same.
    for video in gt_actions or gt_parts or {**parts, **actions}:
        for source, content in ((PARTS, parts), (ACTIONS, actions)):
            if video not in content:
                yield Finding(str(video), "", source, "the video is missing")
    for source, content in ((PARTS, parts), (ACTIONS, actions)):
        for video in content if known else ():
            if video not in known:
                yield Finding(str(video), "", source, "the video is unknown to the ground truth")


def _check_actions(actions: dict[str, Any], names: _Names) -> Iterator[Finding]:
    for video, action in actions.items():
        if not isinstance(action, str):
            yield Finding(str(video), "", ACTIONS, f"the action is {kind_of(action)}, expected a string")
        elif names.actions is not None and action not in names.actions:
            yield Finding(str(video), "", ACTIONS, f"the action {action!r} is unknown to the {names.source}")


def _check_frames(video: str, frames: Any, truth: dict[str, Any] | None) -> Iterator[Finding]:
    """Whether the right frames are there, whatever they hold."""
    if not isinstance(frames, dict):
        yield Finding(video, "", PARTS, f"the video is {kind_of(frames)}, expected an object of frames")
    for frame in truth or {}:
        if frame not in _as_dict(frames):
            yield Finding(video, str(frame), "", "the frame is missing, its parts score 0")
    for frame in _as_dict(frames):
        number = frame_number(frame) if isinstance(frame, str) else None
        if truth is not None and frame in truth:
            continue
        if number is None:
            yield Finding(video, str(frame), "", f"the frame's name is not of the form {frame_name(1)}")
        elif truth is not None:
            yield Finding(video, frame, "", "the frame is unknown to the ground truth")
        elif not is_evaluated(number):
            yield Finding(video, frame, "", "the frame is not evaluated, only 1, 6, 11, ... are")


def _check_frame(video: str, frame: str, content: Any, names: _Names) -> Iterator[Finding]:
    # What is misshapen is reported first; the other checks skip it, it alone.
    for problems in (frame_problems(content), limit_problems(content)):
        for problem in problems:
            yield Finding(video, frame, problem.key, problem.message)
    humans = _as_dict(content).get("humans")
    for i, human in enumerate(humans if isinstance(humans, list) else []):
        for key, message in _check_human(_as_dict(human), names):
            yield Finding(video, frame, f"humans[{i}]{key}", message)


def _check_human(human: dict[str, Any], names: _Names) -> Iterator[tuple[str, str]]:
    yield from _check_number(human, "")
    yield from _check_box(human.get("box"), ".box")
    for name, part in _as_dict(human.get("parts")).items():
        key = f".parts.{name}"
        if names.parts is not None and name not in names.parts:
            yield key, f"the part {name!r} is unknown to the {names.source}"
        if isinstance(part, dict):
            yield from _check_number(part, key)
            if part.get("name", name) != name:
                yield f"{key}.name", f"the part's name differs from its key {name!r}"
            yield from _check_proposals(part, key, names)


def _check_proposals(part: dict[str, Any], key: str, names: _Names) -> Iterator[tuple[str, str]]:
    boxes, states = part.get("box"), part.get("verb")
    if isinstance(states, str):
        yield from _check_box(boxes, f"{key}.box")
        yield from _check_state(states, f"{key}.verb", names)
        return
    # The two need not be lists, nor of one length.
    for j, box in enumerate(boxes if isinstance(boxes, list) else []):
        yield from _check_box(box, f"{key}.box[{j}]")
    for j, state in enumerate(states if isinstance(states, list) else []):
        yield from _check_state(state, f"{key}.verb[{j}]", names)


def _check_box(box: Any, key: str) -> Iterator[tuple[str, str]]:
    if is_sound_box(box) and (box[2] < box[0] or box[3] < box[1]):
        yield key, f"the box {box} is inverted, expected x0 <= x1 and y0 <= y1"


def _check_state(state: Any, key: str, names: _Names) -> Iterator[tuple[str, str]]:
    if names.states is not None and isinstance(state, str) and state not in names.states:
        yield key, f"the state {state!r} is unknown to the {names.source}"


def _check_number(entry: dict[str, Any], key: str) -> Iterator[tuple[str, str]]:
    number = entry.get("number", 1)
    if isinstance(number, bool) or not isinstance(number, int):
        yield f"{key}.number", f"the number is {kind_of(number)}, expected a whole number"


def _names_of(taxonomy: Taxonomy) -> _Names:
    return _Names(
        parts=frozenset(taxonomy.parts),
        states=frozenset(taxonomy.states),
        actions=frozenset(taxonomy.actions),
        source="taxonomy",
    )


def _names_in(gt_parts: Any, gt_actions: Any) -> _Names:
    """The names that a ground truth uses; a list that it does not use at all is not known."""
    parts: set[str] = set()
    states: set[str] = set()
    for frames in _as_dict(gt_parts).values():
        for content in _as_dict(frames).values():
            if next(frame_problems(content), None) is not None:
                continue
            for human in content["humans"]:
                parts.update(human["parts"])
                states.update(state for part in human["parts"].values() for state in proposals_of(part)[1])
    actions = {action for action in _as_dict(gt_actions).values() if isinstance(action, str)}
    return _Names(
        parts=frozenset(parts) or None,
        states=frozenset(states) or None,
        actions=frozenset(actions) or None,
        source="ground truth",
    )


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
