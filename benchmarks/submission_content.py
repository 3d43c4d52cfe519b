"""A submission and its ground truth of the size of Kinetics-TPS's test set, as the challenge's four JSON files.

People are drawn as in the generated tree (``tree_content.py``): 2.8 persons a frame with 5 parts each, in every fifth
of 151 frames of a video. A prediction has most of them, moved by a few pixels, and some that are not there; each
person has all ten parts with one proposal, of which most states are right. A tenth of the frames is annotated as
having nobody or without parts, for both leave the average.

Shapes: T frames, P persons, K = 10 parts. Boxes are ``xyxy`` in pixels.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from measure import read_json
from tree_content import ACTIONS, PARTS, STATES, People, draw_people, mean_persons

from tpsparse.evaluation.functional.official import EVALUATED_STEP, MAX_PERSONS, frame_name
from tpsparse.structures.files import write_json

VIDEOS, FRAMES = 932, 151
SIZE = (256, 340)
MANIFEST = "submission.json"
_FOUND, _RIGHT_STATE, _RIGHT_ACTION = 0.92, 0.75, 0.85
_JITTER = 3.0  # pixels, of persons and parts
_SPURIOUS = 1.2  # predicted persons a frame who are not there


def make_submission(out: Path, *, videos: int = VIDEOS, frames: int = FRAMES, seed: int = 0) -> dict[str, Any]:
    """Write the four files and ``taxonomy.json`` into a folder, or find them there.

    Args:
        out: Its folder; moved into place when whole.
        videos: How many.
        frames: Frames of each video, of which every fifth is evaluated.
        seed: Of everything drawn.

    Returns:
        The parameters and how many frames, persons and parts are in the two files.
    """
    parameters = dict(videos=videos, frames=frames, seed=seed, version=1)
    if (out / MANIFEST).is_file():
        found = read_json(out / MANIFEST)
        if {name: found.get(name) for name in parameters} == parameters:
            return found
    shutil.rmtree(out, ignore_errors=True)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    names = [f"clip_{number:05d}" for number in range(videos)]
    drawn = [draw_video(np.random.default_rng([seed, number]), number, frames) for number in range(videos)]
    generator = np.random.default_rng([seed, videos])
    actions = {name: ACTIONS[number % len(ACTIONS)] for number, name in enumerate(names)}
    guesses = {name: str(generator.choice(ACTIONS)) for name in names}
    right = generator.random(videos) < _RIGHT_ACTION
    contents = dict(
        gt_part_result={name: truth for name, (truth, _) in zip(names, drawn)},
        gt_vid_result=actions,
        pred_part_result={name: prediction for name, (_, prediction) in zip(names, drawn)},
        pred_vid_result={name: actions[name] if right[i] else guesses[name] for i, name in enumerate(names)},
    )
    for name, content in contents.items():
        (partial / f"{name}.json").write_text(json.dumps(content))
    write_json(partial / "taxonomy.json", dict(parts=PARTS, states=STATES, actions=ACTIONS, objects=[]))
    manifest = {**parameters, "counts": {name: _count(contents[name]) for name in list(contents)[::2]}}
    write_json(partial / MANIFEST, manifest)
    partial.rename(out)
    return manifest


def draw_video(rng: np.random.Generator, number: int, frames: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is annotated in the evaluated frames of a video, and what is predicted there."""
    wanted = int(mean_persons(number % len(ACTIONS)) * rng.uniform(0.5, 1.6) + rng.uniform())
    people = draw_people(rng, min(wanted, MAX_PERSONS), frames=frames, size=SIZE)
    truth, prediction = {}, {}
    for t in range(0, frames, EVALUATED_STEP):
        kind = rng.random()
        truth[frame_name(t + 1)] = {"humans": [] if kind < 0.05 else _annotated(people, t, parts=kind > 0.1)}
        prediction[frame_name(t + 1)] = {"humans": _predicted(rng, people, t)}
    return truth, prediction


def _annotated(people: People, t: int, *, parts: bool) -> list[dict[str, Any]]:
    humans = []
    for p in np.flatnonzero(people.seen[t]).tolist():
        shown = np.flatnonzero(people.shown[t, p]).tolist() if parts else []
        found = {
            PARTS[k]: _part(i, k, _numbers(people.part_boxes[t, p, k]), STATES[people.states[t, p, k]])
            for i, k in enumerate(shown)
        }
        humans.append({"number": len(humans) + 1, "box": _numbers(people.boxes[t, p]), "parts": found})
    return humans


def _predicted(rng: np.random.Generator, people: People, t: int) -> list[dict[str, Any]]:
    """Persons who are there and found, then some of other frames, of whom nobody knows why they were found."""
    there = np.flatnonzero(people.seen[t] & (rng.random(people.seen.shape[1]) < _FOUND))
    strange = rng.integers(people.seen.shape[1], size=rng.poisson(_SPURIOUS)) if people.seen.shape[1] else []
    rows = [(t, p) for p in there] + [(int(rng.integers(len(people.seen))), p) for p in strange]
    humans = []
    for at, p in rows[:MAX_PERSONS]:
        boxes = np.concatenate([people.boxes[at, p][None], people.part_boxes[at, p]])
        boxes = np.round(boxes + rng.normal(0, _JITTER, boxes.shape), 2)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
        right = rng.random(len(PARTS)) < _RIGHT_STATE
        states = np.where(right, people.states[at, p], rng.integers(len(STATES), size=len(PARTS)))
        parts = {
            PARTS[k]: _part(k, k, [box], [STATES[state]])
            for k, (box, state) in enumerate(zip(boxes[1:].tolist(), states.tolist()))
        }
        humans.append({"number": len(humans) + 1, "box": boxes[0].tolist(), "parts": parts})
    return humans


def _part(row: int, part: int, box: list[Any], state: Any) -> dict[str, Any]:
    return {"number": row + 1, "name": PARTS[part], "box": box, "verb": state}


def _numbers(box: np.ndarray) -> list[float]:
    return np.round(box, 1).tolist()


def _count(videos: dict[str, Any]) -> dict[str, int]:
    frames = [frame["humans"] for video in videos.values() for frame in video.values()]
    persons = [human for humans in frames for human in humans]
    return dict(frames=len(frames), persons=len(persons), parts=sum(len(human["parts"]) for human in persons))
