"""One video: who does what where, each frame drawn, and what of it is annotated.

Everything random is drawn from the generator that is handed in. Sizes are (height, width) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .actions import Action
from .annotation import Sight, frame_annotation
from .figure import (
    INKS_A_PERSON,
    OWNERS_A_PERSON,
    Dresser,
    Outfit,
    draw_build,
    draw_figure,
    draw_outfit,
)
from .files import FPS
from .keypoints import frame_keypoints
from .posing import Style
from .props import COLOURS, Holder, PropMarks, draw_prop, fists_on_bag
from .setting import Setting, draw_setting, outline
from .skeleton import Build, forward_kinematics
from .states import part_states

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
    """A video before it is drawn."""

    action: Action
    people: list[Person]
    setting: Setting

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
        painter = self.setting.painter(frame)
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
        image = self.setting.picture(painter, frame, self.palette())
        annotation, annotated = frame_annotation(painter.canvas, sights, marks.names)
        return image, annotation, np.stack(keypoints)[annotated]


def plan_scene(rng: np.random.Generator, action: Action, *, frames: int, size: tuple[int, int]) -> Scene:
    """Draw a random video of an action."""
    people = _draw_people(rng, action, frames)
    points = [
        np.concatenate([outline(person.at(action, frame)[0].skeleton) for person in people])
        for frame in range(0, frames, 2)
    ]
    return Scene(action, people, draw_setting(rng, np.concatenate(points), frames, size))


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
