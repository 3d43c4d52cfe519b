"""One video: who does what where, each frame drawn, and what of it is annotated.

Everything random is drawn from the generator that is handed in. Sizes are (height, width) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .actions import Action
from .annotation import Sight, frame_annotation
from .backdrop import draw_backdrop, plate_margin
from .camera import Camera, Painter, Shot
from .figure import (
    INKS_A_PERSON,
    OWNERS_A_PERSON,
    Dresser,
    Outfit,
    draw_build,
    draw_figure,
    draw_outfit,
)
from .keypoints import frame_keypoints
from .posing import Style
from .props import COLOURS, Holder, PropMarks, draw_prop, fists_on_bag
from .skeleton import Build, forward_kinematics
from .states import part_states

FPS = 15
_HEAD_ROOM = 0.17  # metres
_GLANCES = ((0.0, 0.0), (48.0, 0.0), (-48.0, 0.0), (0.0, -28.0), (0.0, 28.0))
_GLANCE_ODDS = (0.44, 0.16, 0.16, 0.12, 0.12)


@dataclass(frozen=True)
class Person:
    """One person of a video; ``glances`` (T, 2) are the head's turn and nod, ``phases`` (T,) the action's phase."""

    build: Build
    outfit: Outfit
    style: Style
    yaw: float
    place: tuple[float, float, float]
    phases: np.ndarray
    glances: np.ndarray

    def at(self, action: Action, frame: int) -> tuple[Holder, dict[str, str]]:
        """The body in frame number ``frame`` (from 0), and the state of each part."""
        phase = float(self.phases[frame])
        pose = action.motion(self.build, self.style, phase)
        turn, nod = self.glances[frame]
        pose = replace(pose, head=(pose.head[0] + turn, pose.head[1] + nod, pose.head[2]))
        own = forward_kinematics(self.build, pose)
        hits = fists_on_bag(own) if action.prop == "punching_bag" else frozenset()
        states = part_states(self.build, own, pose.grips, hits)
        return Holder(self.build, own.moved(self.yaw, self.place), own, self.yaw, self.place, phase), states


@dataclass(frozen=True)
class Scene:
    """A video before it is drawn; ``gains`` (T,) is the brightness of each frame."""

    action: Action
    people: list[Person]
    camera: Camera
    plate: np.ndarray
    shots: list[Shot]
    sun: np.ndarray
    gains: np.ndarray
    grain: np.ndarray

    def palette(self) -> np.ndarray:
        """(inks, 3) colours of all persons, then of the objects."""
        rows = [person.outfit.palette() for person in self.people]
        return np.concatenate([*rows, np.array(list(COLOURS.values()), dtype=np.uint8)])

    def render(self, frame: int) -> tuple[np.ndarray, dict, np.ndarray]:
        """Draw frame number ``frame`` (from 0).

        Returns:
            The image (H, W, 3) uint8 RGB, its annotation in the official form, and the keypoints (P, J, 3) of the
            annotated persons in their order, see :func:`keypoints.frame_keypoints`.
        """
        painter = Painter(self.camera, self.shots[frame], self.sun)
        sights: list[Sight] = []
        holders, keypoints = [], []
        for number, person in enumerate(self.people):
            holder, states = person.at(self.action, frame)
            draw_figure(painter, holder.skeleton, person.build, person.outfit, Dresser(number))
            sights.append(Sight.take(painter.canvas, 1 + number * OWNERS_A_PERSON, states))
            holders.append(holder)
            keypoints.append(frame_keypoints(painter, holder.skeleton, person.build))
        marks = PropMarks(1 + len(self.people) * OWNERS_A_PERSON, len(self.people) * INKS_A_PERSON)
        for holder in holders:
            draw_prop(painter, self.action.prop, holder, marks)
        image = painter.canvas.composite(painter.shade_floor(self._background(frame)), self.palette())
        image = image * self.gains[frame] + np.roll(self.grain, (37 * frame, 59 * frame), axis=(0, 1))
        annotation, annotated = frame_annotation(painter.canvas, sights, marks.names)
        return np.clip(image, 0, 255).astype(np.uint8), annotation, np.stack(keypoints)[annotated]

    def _background(self, frame: int) -> np.ndarray:
        shot = self.shots[frame]
        matrix = shot.matrix.copy()
        matrix[:, 2] -= shot.zoom * plate_margin(shot.size)
        size = (shot.size[1], shot.size[0])
        return cv2.warpAffine(self.plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def plan_scene(rng: np.random.Generator, action: Action, *, frames: int, size: tuple[int, int]) -> Scene:
    """Draw a random video of an action."""
    people = _draw_people(rng, action, frames)
    points = [
        np.concatenate([_outline(person.at(action, frame)[0]) for person in people]) for frame in range(0, frames, 2)
    ]
    camera = _draw_camera(rng, np.concatenate(points), size)
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.25, 0.6), 1.0, rng.uniform(0.35, 0.7)])
    beat = 2 * np.pi * (np.arange(frames) / max(frames, 1) * rng.uniform(0.5, 2) + rng.random())
    return Scene(
        action=action,
        people=people,
        camera=camera,
        plate=draw_backdrop(rng, camera, size),
        shots=_draw_shots(rng, frames, size),
        sun=light / np.linalg.norm(light),
        gains=1 + rng.uniform(0, 0.05) * np.sin(beat),
        grain=(rng.standard_normal((*size, 1)) * rng.uniform(0.6, 2.4)).astype(np.float32),
    )


def _outline(holder: Holder) -> np.ndarray:
    """(N, 3) points that must be seen: the joints, and the head's outline around its middle."""
    points = np.stack(list(holder.skeleton.points.values()))
    around = _HEAD_ROOM * np.array([[-1.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]])
    return np.concatenate([points, holder.skeleton.points["head"] + around])


def _draw_people(rng: np.random.Generator, action: Action, frames: int) -> list[Person]:
    count = int(rng.choice([1, 2, 3], p=[0.52, 0.38, 0.1]))
    view = action.yaw * rng.choice([-1, 1]) * rng.uniform(0.75, 1.15)
    spread = 9 if action.yaw else 16  # degrees: a chosen view is kept, others vary about the front
    if action.name == "pull_ups" and rng.random() < 0.2:
        view += 180.0  # seen from behind
    middle = (count - 1) / 2
    people = []
    for number in range(count):
        across = (number - middle) * action.room * rng.uniform(0.62, 1.0)
        deep = 0.0 if number == 0 else -rng.uniform(0.2, 0.9)
        people.append(
            Person(
                build=draw_build(rng),
                outfit=draw_outfit(rng, action.name),
                style=Style(int(rng.integers(3)), float(rng.random()), str(rng.choice(["left", "right"]))),
                yaw=float(view + rng.normal(0, spread)),
                place=(float(across), 0.0, float(deep)),
                phases=rng.random() * 6 + np.arange(frames) / (FPS * rng.uniform(*action.seconds)),
                glances=_draw_glances(rng, frames),
            )
        )
    return people


def _draw_glances(rng: np.random.Generator, frames: int) -> np.ndarray:
    """(T, 2) turn and nod of the head: held for about a second, with quick changes."""
    rows: list[np.ndarray] = []
    while len(rows) < frames + 4:
        held = int(rng.integers(7, 18))
        rows.extend([np.array(_GLANCES[rng.choice(len(_GLANCES), p=_GLANCE_ODDS)])] * held)
    held_rows = np.stack(rows)
    kernel = np.array([0.15, 0.2, 0.3, 0.2, 0.15])
    smooth = np.stack([np.convolve(held_rows[:, i], kernel, mode="valid") for i in range(2)], axis=1)
    return smooth[:frames]


def _draw_camera(rng: np.random.Generator, points: np.ndarray, size: tuple[int, int]) -> Camera:
    height, width = size
    tall, wide = height * rng.uniform(0.76, 0.92), width * 0.92
    left = (width - wide) / 2 + width * rng.uniform(-0.03, 0.03)
    top = (height - tall) * rng.uniform(0.35, 0.65)
    window = (left, top, left + wide, top + tall)
    return Camera.framing(points, pitch=rng.uniform(5, 15), distance=rng.uniform(5.0, 7.5), window=window)


def _draw_shots(rng: np.random.Generator, frames: int, size: tuple[int, int]) -> list[Shot]:
    """A slow zoom and pan with a little shake."""
    side = max(size)
    time = np.linspace(-0.5, 0.5, frames) if frames > 1 else np.zeros(1)
    zoom = 1 + rng.uniform(-0.03, 0.03) + rng.uniform(-0.08, 0.08) * time
    pan = rng.uniform(-0.035, 0.035, 2)[:, None] * time * side * np.array([[1.0], [0.5]])
    shake = rng.standard_normal((2, frames + 4)) * rng.uniform(0.0, 0.006) * side
    shake = np.stack([np.convolve(row, np.full(5, 0.2), mode="valid") for row in shake])
    return [
        Shot(size, float(zoom[i]), (float(pan[0, i] + shake[0, i]), float(pan[1, i] + shake[1, i])))
        for i in range(frames)
    ]
