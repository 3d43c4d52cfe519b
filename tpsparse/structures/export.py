"""The record as plain, readable data: names in place of ids, absent things left out.

Shapes: P persons and O objects in a frame, K parts, J keypoints, S states, A actions. Boxes are ``xyxy`` in absolute
pixels of the decoded frame. Frames and persons are numbered from 1; a person's number is the position in the frame, not
an identity over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError
from ..taxonomy import Taxonomy
from .boxes import is_present
from .keypoints import KEYPOINTS
from .objects import FrameObjects
from .parse import FrameParse, VideoParse
from .segments import SegmentScores, best_pairs

READABLE_FORMAT_VERSION = 1
LEAST_STATE_SCORE = 0.5
"""A state is one of several at once above this: of probabilities that add up to one, two never are."""


def parse_to_json(
    parse: VideoParse,
    taxonomy: Taxonomy,
    *,
    min_part_score: float = 0.0,
    min_state_score: float = LEAST_STATE_SCORE,
) -> dict[str, Any]:
    """One video's parse for ``json.dumps``, as described in ``format_version`` 1.

    Pixels are rounded to tenths, scores to four digits, seconds to milliseconds. Frame 1 is at 0 s; without a frame
    rate there is no time. ``keypoints`` are {name: [x, y, confidence]} by COCO's names, without those of confidence 0.
    Features are not exported.

    Args:
        parse: The record, filled as far as its stages went.
        taxonomy: The names that the record's ids stand for.
        min_part_score: Parts with a lower score are left out.
        min_state_score: A part's ``states`` are those with a higher probability; several where a network tells several
            at once, maybe none.

    Returns:
        ``format_version, video, size {height, width}, num_frames, fps, action {name, score} or None,
        action_scores {source: {name: probability}}, frames [{frame, time, persons}]``, and ``error`` if there is one.
        Where recognizers of part states have spoken, ``segments {name: [{first, last, action, state, score}]}`` has the
        best pair of each segment. A person has ``number, box, score``, where known ``keypoints``, and ``parts {name:
        {box, score, state, state_score, states {name: probability}}}``, each as far as known; ``state`` is the most
        probable one, also where ``states`` is empty. A frame whose objects are known has ``objects [{name, box,
        score}]``.

    Raises:
        InputError: If the taxonomy has other numbers of parts, states or actions than the parse, or fewer objects.
    """
    action_scores = {source: _scores_by_name(parse, source, taxonomy) for source in parse.action_scores}
    action = parse.action()
    data: dict[str, Any] = {
        "format_version": READABLE_FORMAT_VERSION,
        "video": parse.video,
        "size": {"height": int(parse.size[0]), "width": int(parse.size[1])},
        "num_frames": int(parse.num_frames),
        "fps": _rounded(parse.fps, 4),
        "action": None,
        "action_scores": action_scores,
        **_segments_to_json(parse, taxonomy),
        "frames": [
            _frame_to_json(frame, parse.fps, taxonomy, (min_part_score, min_state_score)) for frame in parse.frames
        ],
    }
    if action is not None:
        name = taxonomy.actions[action]
        data["action"] = {"name": name, "score": action_scores["action"][name]}
    if parse.error is not None:
        data["error"] = parse.error
    return data


def present_parts(frame: FrameParse) -> np.ndarray:
    """Which parts are there, bool (P, K): those with a box; without boxes, those with a state. (P, 0) if neither."""
    if frame.part_boxes is not None:
        return is_present(frame.part_boxes)
    if frame.part_states is not None or frame.state_scores is not None:
        return frame.states() >= 0
    return np.zeros((len(frame), 0), dtype=bool)


def named_states(frame: FrameParse, taxonomy: Taxonomy) -> list[list[str | None]]:
    """For each person the K state names; None for a part that is absent or has no state.

    Raises:
        InputError: If the taxonomy has other numbers of parts or states than the frame.
    """
    check_taxonomy(frame, taxonomy)
    if frame.part_states is None and frame.state_scores is None:
        return [[None] * len(taxonomy.parts) for _ in range(len(frame))]
    ids = np.where(present_parts(frame), frame.states(), -1)
    return [[taxonomy.states[state] if state >= 0 else None for state in row] for row in ids]


def states_above(probabilities: np.ndarray, least: float) -> list[int]:
    """Ids of the states with probabilities (S,) above ``least``, the most probable first, the first of equals."""
    falling = np.argsort(-probabilities, kind="stable")
    return [int(state) for state in falling if probabilities[state] > least]


def check_taxonomy(frame: FrameParse, taxonomy: Taxonomy) -> None:
    """Refuse names that do not fit the numbers in the frame.

    Raises:
        InputError: If the taxonomy has other numbers of parts or states than the frame, or fewer objects.
    """
    for array in (frame.part_boxes, frame.part_scores, frame.state_scores, frame.part_states):
        if array is not None:
            _check_count("parts", array.shape[1], len(taxonomy.parts))
    if frame.state_scores is not None:
        _check_count("states", frame.state_scores.shape[2], len(taxonomy.states))
    if frame.part_states is not None and frame.part_states.size:
        highest = int(frame.part_states.max())
        if highest >= len(taxonomy.states):
            _check_count("states", highest + 1, len(taxonomy.states))
    if frame.objects is not None and len(frame.objects):
        highest = int(frame.objects.labels.max())
        if highest >= len(taxonomy.objects):
            _check_count("objects", highest + 1, len(taxonomy.objects))


def _check_count(kind: str, found: int, named: int) -> None:
    if found != named:
        raise InputError(f"the parse has {found} {kind} and the taxonomy names {named}: use the lists it was made with")


def _scores_by_name(parse: VideoParse, source: str, taxonomy: Taxonomy) -> dict[str, float | None]:
    scores = parse.action_scores[source]
    _check_count("actions", len(scores), len(taxonomy.actions))
    return {name: _rounded(score, 4) for name, score in zip(taxonomy.actions, scores)}


def _segments_to_json(parse: VideoParse, taxonomy: Taxonomy) -> dict[str, Any]:
    """What recognizers of part states say, by their names; nothing where there are none."""
    listed = {name: _ranges_to_json(found, taxonomy) for name, found in parse.segments.items()}
    return {"segments": listed} if listed else {}


def _ranges_to_json(found: SegmentScores, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    _check_count("actions", found.scores.shape[1], len(taxonomy.actions))
    _check_count("states", found.scores.shape[2], len(taxonomy.states))
    return [
        {
            "first": int(first),
            "last": int(last),
            "action": taxonomy.actions[action],
            "state": taxonomy.states[state],
            "score": _rounded(scores[action, state], 4),
        }
        for (first, last), scores, action, state in zip(found.frames, found.scores, *best_pairs(found.scores))
    ]


def _frame_to_json(frame: FrameParse, fps: float, taxonomy: Taxonomy, least: tuple[float, float]) -> dict[str, Any]:
    """``least`` are the scores of a part, at least, and of a state, above."""
    states = named_states(frame, taxonomy)
    data: dict[str, Any] = {"frame": frame.frame_index}
    if fps > 0:
        data["time"] = _rounded((frame.frame_index - 1) / fps, 3)
    data["persons"] = [_person_to_json(frame, person, states[person], taxonomy, least) for person in range(len(frame))]
    if frame.objects is not None:
        data["objects"] = _objects_to_json(frame.objects, taxonomy)
    return data


def _objects_to_json(objects: FrameObjects, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    return [
        {"name": taxonomy.objects[label], "box": _rounded_list(box, 1), "score": _rounded(score, 4)}
        for label, box, score in zip(objects.labels, objects.boxes, objects.scores)
    ]


def _person_to_json(
    frame: FrameParse, person: int, states: list[str | None], taxonomy: Taxonomy, least: tuple[float, float]
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "number": person + 1,
        "box": _rounded_list(frame.boxes[person], 1),
        "score": _rounded(frame.scores[person], 4),
    }
    if frame.keypoints is not None:
        data["keypoints"] = {
            name: _rounded_list(point[:2], 1) + [_rounded(point[2], 4)]
            for name, point in zip(KEYPOINTS, frame.keypoints[person], strict=True)
            if point[2] > 0
        }
    min_part_score, min_state_score = least
    data["parts"] = {
        taxonomy.parts[part]: {
            **_part_to_json(frame, person, int(part), states[part], taxonomy),
            **_states_to_json(frame, person, int(part), taxonomy, min_state_score),
        }
        for part in np.flatnonzero(present_parts(frame)[person])
        if frame.part_scores is None or frame.part_scores[person, part] >= min_part_score
    }
    return data


def _part_to_json(frame: FrameParse, person: int, part: int, state: str | None, taxonomy: Taxonomy) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if frame.part_boxes is not None:
        data["box"] = _rounded_list(frame.part_boxes[person, part], 1)
    if frame.part_scores is not None:
        data["score"] = _rounded(frame.part_scores[person, part], 4)
    if state is not None:
        data["state"] = state
    if state is not None and frame.state_scores is not None:
        data["state_score"] = _rounded(frame.state_scores[person, part, taxonomy.state_ids[state]], 4)
    return data


def _states_to_json(
    frame: FrameParse, person: int, part: int, taxonomy: Taxonomy, min_state_score: float
) -> dict[str, Any]:
    """The states that a part has, by their names; nothing where no probabilities are known."""
    if frame.state_scores is None:
        return {}
    scores = frame.state_scores[person, part]
    found = states_above(scores, min_state_score)
    return {"states": {taxonomy.states[state]: _rounded(scores[state], 4) for state in found}}


def _rounded(value: float, digits: int) -> float | None:
    """A Python number without float32's tail; None where it is not finite, for JSON has no NaN."""
    return round(float(value), digits) if np.isfinite(value) else None


def _rounded_list(values: np.ndarray, digits: int) -> list[float | None]:
    return [_rounded(value, digits) for value in values]
