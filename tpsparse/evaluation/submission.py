"""The challenge's files: what a parse or an annotation says, as the released script wants to read it.

Only evaluated frames (1, 6, 11, ...) are written. A prediction holds at most ten persons a frame and one proposal a
part, for a second guess halves a part's reward; its proposals are lists, the shape of 2021.

Shapes: P persons, K parts.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..structures import FrameParse, VideoParse
from ..structures.files import atomic_write, write_json
from ..taxonomy import Taxonomy
from .functional.official import EVALUATED_STEP, LARGEST_COORDINATE, MAX_PERSONS, frame_name, is_evaluated
from .validation import validate_submission

PARTS_FILE, ACTIONS_FILE = "part_result.json", "vid_result.json"
PREDICTION, TRUTH = "pred_", "gt_"
TAXONOMY_FILE = "taxonomy.json"
ARCHIVE = "submission.zip"
# The earliest time that a zip archive can hold: the bytes then depend on the content alone.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def part_result_of(parses: Iterable[VideoParse], taxonomy: Taxonomy) -> dict[str, Any]:
    """Predicted persons and parts: video to frame to persons, the most certain first.

    Every video has an entry, one that could not be parsed an empty one, because the script stops at a missing
    video. Boxes that are not finite or are inverted are left out: nothing can match them.

    Raises:
        InputError: If two parses are of one video, or a part or state is not in the taxonomy.
        ValueError: If a frame has part boxes but no states.
    """
    return _by_video((parse.video, _frames_of(parse, _predicted_frame, taxonomy)) for parse in parses)


def video_result_of(parses: Iterable[VideoParse], taxonomy: Taxonomy) -> dict[str, str]:
    """Predicted actions. A video without one gets the taxonomy's first: the script stops at a missing video.

    Raises:
        InputError: If two parses are of one video, or an action is not in the taxonomy.
    """
    return _by_video((parse.video, action_of(parse, taxonomy) or taxonomy.actions[0]) for parse in parses)


def part_truth_of(parses: Iterable[VideoParse], taxonomy: Taxonomy) -> dict[str, Any]:
    """Annotated persons and parts, any number of them, with one box and one state a part.

    Boxes that are not finite or are inverted are left out here too. An evaluated frame whose annotation is missing
    is written without persons, where the length of the video is known: a prediction of it is then no unknown frame,
    and the score does not change, for a frame without annotated persons leaves the average.

    Raises:
        InputError: If two parses are of one video, or a part or state is not in the taxonomy.
    """
    return _by_video((parse.video, _true_frames(parse, taxonomy)) for parse in parses)


def video_truth_of(parses: Iterable[VideoParse], taxonomy: Taxonomy) -> dict[str, str]:
    """Annotated actions.

    Raises:
        InputError: If two parses are of one video, or one has no action.
    """
    return _by_video((parse.video, _true_action(parse, taxonomy)) for parse in parses)


def action_of(parse: VideoParse, taxonomy: Taxonomy) -> str | None:
    """Name of the system's action, or None where there is none.

    Raises:
        InputError: If it is not in the taxonomy.
    """
    action = parse.action()
    return None if action is None else _name(taxonomy.actions, action, f"{parse.video}: action")


def write_submission(out: str | Path, parses: Iterable[VideoParse], taxonomy: Taxonomy) -> list[str]:
    """Write ``pred_part_result.json``, ``pred_vid_result.json`` and ``submission.zip`` into the folder ``out``.

    Returns:
        One line for each video that was not parsed or has no action, to be shown to the user.

    Raises:
        InputError: If the parses cannot make a valid submission.
    """
    parses = list(parses)
    parts, actions = part_result_of(parses, taxonomy), video_result_of(parses, taxonomy)
    save_submission(out, parts, actions, taxonomy=taxonomy, archive=Path(out) / ARCHIVE)
    reports = (report_of(parse) for parse in parses)
    return [report for report in reports if report]


def report_of(parse: VideoParse) -> str | None:
    """One line on what is missing from a video of a submission, or None."""
    if parse.error is None and parse.action() is not None:
        return None
    reason = f"not parsed ({parse.error})" if parse.error is not None else "parsed without an action"
    written = "written with its action and the frames it has"
    if parse.action() is None:
        written = "written with the first action of the list and the frames it has"
    return f"{parse.video}: {reason}, {written}"


def save_submission(
    out: str | Path, parts: dict[str, Any], actions: dict[str, str], *, taxonomy: Taxonomy, archive: Path
) -> None:
    """Write the two files of a submission into the folder ``out`` and both zipped to ``archive``, byte for byte.

    Raises:
        InputError: If the submission is not valid; nothing is written.
    """
    findings = validate_submission(parts, actions, taxonomy=taxonomy)
    if findings:
        raise InputError(f"{out} would hold an invalid submission, {len(findings)} findings, the first: {findings[0]}")
    texts = {PREDICTION + PARTS_FILE: _to_text(parts), PREDICTION + ACTIONS_FILE: _to_text(actions)}
    _write_texts(Path(out), texts)
    with atomic_write(archive) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(texts):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            file.writestr(entry, texts[name])


def write_ground_truth(out: str | Path, parses: Iterable[VideoParse], taxonomy: Taxonomy) -> None:
    """Write ``gt_part_result.json`` and ``gt_vid_result.json`` into the folder ``out``.

    The names go beside them as ``taxonomy.json``, so that a validator knows also those that no annotation uses.

    Raises:
        InputError: If a video has no action, or a name is not in the taxonomy.
    """
    parses = list(parses)
    save_ground_truth(out, part_truth_of(parses, taxonomy), video_truth_of(parses, taxonomy), taxonomy)


def save_ground_truth(out: str | Path, parts: dict[str, Any], actions: dict[str, str], taxonomy: Taxonomy) -> None:
    """Write the two files of a ground truth, and the names, into the folder ``out``."""
    _write_texts(Path(out), {TRUTH + PARTS_FILE: _to_text(parts), TRUTH + ACTIONS_FILE: _to_text(actions)})
    write_json(Path(out) / TAXONOMY_FILE, taxonomy.to_meta())


def _by_video(entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    videos: dict[str, Any] = {}
    for video, entry in entries:
        if video in videos:
            raise InputError(f"two parses are of the video {video}: give each video a name of its own")
        videos[video] = entry
    return dict(sorted(videos.items()))


def _frames_of(parse: VideoParse, convert: Any, taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        frame_name(frame.frame_index): {"humans": convert(frame, taxonomy, f"{parse.video} frame {frame.frame_index}")}
        for frame in parse.frames
        if is_evaluated(frame.frame_index)
    }


def _true_frames(parse: VideoParse, taxonomy: Taxonomy) -> dict[str, Any]:
    frames = _frames_of(parse, _true_frame, taxonomy)
    evaluated = [frame_name(number) for number in range(1, parse.num_frames + 1, EVALUATED_STEP)]
    unread = [name for name in evaluated if name not in frames]
    if not unread:
        return frames
    frames.update((name, {"humans": []}) for name in unread)
    # Names of six digits sort before those of five.
    return dict(sorted(frames.items(), key=lambda entry: (len(entry[0]), entry[0])))


def _predicted_frame(frame: FrameParse, taxonomy: Taxonomy, where: str) -> list[dict[str, Any]]:
    assert frame.scores is not None
    order = np.argsort(-frame.scores, kind="stable")
    kept = order[_is_usable(frame.boxes[order])][:MAX_PERSONS]
    humans = _humans_of(frame.take(kept), taxonomy, where)
    for human in humans:
        for part in human["parts"].values():
            part["box"], part["verb"] = [part["box"]], [part["verb"]]
    return humans


def _true_frame(frame: FrameParse, taxonomy: Taxonomy, where: str) -> list[dict[str, Any]]:
    return _humans_of(frame.take(_is_usable(frame.boxes)), taxonomy, where)


def _humans_of(frame: FrameParse, taxonomy: Taxonomy, where: str) -> list[dict[str, Any]]:
    humans: list[dict[str, Any]] = [
        {"number": number, "box": _numbers(box), "parts": {}} for number, box in enumerate(frame.boxes, start=1)
    ]
    if frame.part_boxes is None or not humans:
        return humans
    states = frame.states()
    for person, part in zip(*np.nonzero(_is_usable(frame.part_boxes) & (states >= 0))):
        name = _name(taxonomy.parts, part, f"{where}: part")
        humans[person]["parts"][name] = {
            "number": len(humans[person]["parts"]) + 1,
            "name": name,
            "box": _numbers(frame.part_boxes[person, part]),
            "verb": _name(taxonomy.states, states[person, part], f"{where}: state"),
        }
    return humans


def _is_usable(boxes: np.ndarray) -> np.ndarray:
    ordered = (boxes[..., 2:] >= boxes[..., :2]).all(axis=-1)
    return ordered & (np.abs(boxes) <= LARGEST_COORDINATE).all(axis=-1)


def _numbers(box: np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in box]


def _name(names: tuple[str, ...], number: int, what: str) -> str:
    if not 0 <= number < len(names):
        raise InputError(f"{what} {number} is not among the {len(names)} of the taxonomy: use the run's own lists")
    return names[number]


def _true_action(parse: VideoParse, taxonomy: Taxonomy) -> str:
    action = action_of(parse, taxonomy)
    if action is None:
        raise InputError(f"{parse.video} has no annotated action: leave it out of the ground truth")
    return action


def _to_text(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _write_texts(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        with atomic_write(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
