"""The objects of the actions: where they are, and how they are drawn (metres, world axes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import Painter
from .motions_play import BAG_AHEAD, BAG_RADIUS, BALLS
from .motions_strength import bar_height
from .raster import Mark
from .skeleton import SIDES, Build, Skeleton, rotation

COLOURS = {
    "steel": (186, 190, 196),
    "plate": (44, 46, 52),
    "rim": (196, 44, 44),
    "cord": (240, 222, 90),
    "leather": (126, 58, 38),
    "strap": (40, 36, 34),
    "ball": (242, 120, 40),
    "ball_2": (64, 170, 230),
    "ball_3": (120, 200, 70),
}
_ROPE_PIECES = 18
_CEILING = 2.6
_BAG = (0.72, 1.62)  # heights of the bag's ends


@dataclass(frozen=True)
class Holder:
    """One person as an object sees them: the body in the world and in the person frame, and where the person stands."""

    build: Build
    skeleton: Skeleton
    own: Skeleton
    yaw: float
    place: tuple[float, float, float]
    phase: float

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) of points in the person frame."""
        return points @ rotation("y", self.yaw).T + np.array(self.place)


class PropMarks:
    """Numbers objects in the order of drawing; ``names`` maps an owner to its object."""

    def __init__(self, first_owner: int, first_ink: int) -> None:
        self.names: dict[int, str] = {}
        self._next = first_owner
        self._inks = {name: first_ink + i for i, name in enumerate(COLOURS)}

    def new(self, name: str) -> int:
        """The owner number of one more object."""
        owner = self._next
        self.names[owner] = name
        self._next += 1
        return owner

    def mark(self, owner: int, colour: str) -> Mark:
        """The mark of an object in a colour."""
        return Mark(owner, self._inks[colour])


def draw_prop(painter: Painter, name: str, holder: Holder, marks: PropMarks) -> None:
    """Draw the object that an action uses; nothing for ""."""
    if name:
        _DRAWN[name](painter, holder, marks)


def _draw_bar(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    owner = marks.new("horizontal_bar")
    height = bar_height(holder.build) + 0.02
    ends = holder.to_world(np.array([[-0.62, height, 0.0], [0.62, height, 0.0]]))
    painter.cone(ends[0], ends[1], (0.024, 0.024), marks.mark(owner, "steel"))
    for end in ends:
        foot = end * np.array([1.0, 0.0, 1.0])
        painter.cone(end, foot, (0.03, 0.03), marks.mark(owner, "rim"))


def _draw_barbell(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    owner = marks.new("barbell")
    palms = [holder.skeleton.palm(side) for side in SIDES]
    middle = (palms[0] + palms[1]) / 2
    axis = palms[0] - palms[1]
    axis = axis / np.linalg.norm(axis)
    painter.cone(middle - axis * 0.78, middle + axis * 0.78, (0.02, 0.02), marks.mark(owner, "steel"))
    frame = _frame(axis)
    for side in (-1, 1):
        for place, radius, colour in ((0.6, 0.205, "plate"), (0.65, 0.185, "rim"), (0.7, 0.13, "plate")):
            axes = frame * np.array([0.026, radius, radius])
            painter.ellipsoid(middle + axis * side * place, axes, marks.mark(owner, colour))


def _draw_dumbbells(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    for side in SIDES:
        owner = marks.new("dumbbell")
        palm = holder.skeleton.palm(side)
        axis = holder.skeleton.chest[:, 0]
        painter.cone(palm - axis * 0.08, palm + axis * 0.08, (0.02, 0.02), marks.mark(owner, "steel"))
        for end in (-1, 1):
            axes = _frame(axis) * np.array([0.045, 0.07, 0.07])
            painter.ellipsoid(palm + axis * end * 0.09, axes, marks.mark(owner, "plate"))


def _draw_rope(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    owner = marks.new("rope")
    palms = [holder.own.palm(side) for side in SIDES]
    angle = 2 * np.pi * holder.phase
    along = np.linspace(0, 1, _ROPE_PIECES + 1)[:, None]
    bow = np.sin(np.pi * along) ** 0.5
    reach = 0.5 * (palms[0][1] + palms[1][1]) + 0.02 if np.cos(angle) > 0 else 0.98
    sweep = np.array([0.0, -np.cos(angle) * reach, 0.75 * np.sin(angle)])
    points = palms[0] * (1 - along) + palms[1] * along + bow * sweep
    points[:, 1] = np.maximum(points[:, 1], 0.015)
    points = holder.to_world(points)
    mark = marks.mark(owner, "cord")
    for start, end in zip(points[:-1], points[1:]):
        painter.cone(start, end, (0.016, 0.016), mark)
    for side in SIDES:
        wrist, fingers = (holder.skeleton.points[f"{side}_{joint}"] for joint in ("wrist", "fingers"))
        painter.cone(wrist, fingers * 1.25 - wrist * 0.25, (0.022, 0.022), marks.mark(owner, "rim"))


def _draw_bag(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    owner = marks.new("punching_bag")
    low, high = _BAG
    sway = 0.03 * np.sin(2 * np.pi * (holder.phase - 0.2))
    low_end, high_end = [0.0, low + BAG_RADIUS, BAG_AHEAD + sway], [0.0, high - BAG_RADIUS, BAG_AHEAD]
    ends = holder.to_world(np.array([low_end, high_end, [0.0, _CEILING, BAG_AHEAD]]))
    painter.cone(ends[0], ends[1], (BAG_RADIUS, BAG_RADIUS), marks.mark(owner, "leather"))
    for share in (0.15, 0.85):
        ring = ends[0] + (ends[1] - ends[0]) * share
        axes = np.eye(3) * np.array([BAG_RADIUS * 1.03, 0.035, BAG_RADIUS * 1.03])
        painter.ellipsoid(ring, axes, marks.mark(owner, "strap"))
    painter.cone(ends[1], ends[2], (0.02, 0.02), marks.mark(owner, "strap"))


def _draw_balls(painter: Painter, holder: Holder, marks: PropMarks) -> None:
    for number, colour in zip(range(BALLS), ("ball", "ball_2", "ball_3")):
        place = holder.to_world(_ball_place(holder, number)[None])[0]
        painter.ball(place, 0.055, marks.mark(marks.new("ball"), colour))


def _ball_place(holder: Holder, number: int) -> np.ndarray:
    """(3,) in the person frame. Ball k is thrown at phases k/2 + 3n/2, flies for 1, rests for 1/2 in the other hand."""
    since = (holder.phase - number / 2) % 1.5
    throws = round((holder.phase - since) * 2)
    thrower, catcher = ("left", "right") if throws % 2 == 0 else ("right", "left")
    lift = np.array([0.0, 0.06, 0.0])
    if since >= 1.0:
        return holder.own.palm(catcher) + lift
    start, end = holder.own.palm(thrower) + lift, holder.own.palm(catcher) + lift
    arc = np.array([0.0, 0.62 * 4 * since * (1 - since), 0.0])
    return start * (1 - since) + end * since + arc


def _frame(axis: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal columns, the first along ``axis``."""
    aside = np.cross(axis, [0.0, 1.0, 0.0])
    aside = aside / max(float(np.linalg.norm(aside)), 1e-6)
    return np.stack([axis, np.cross(aside, axis), aside], axis=1)


_DRAWN = {
    "horizontal_bar": _draw_bar,
    "barbell": _draw_barbell,
    "dumbbell": _draw_dumbbells,
    "rope": _draw_rope,
    "punching_bag": _draw_bag,
    "ball": _draw_balls,
}


def fists_on_bag(own: Skeleton) -> frozenset[str]:
    """Sides whose fist touches the punching bag, from a body in the person frame."""
    sides = []
    for side in SIDES:
        palm = own.palm(side)
        near = float(np.hypot(palm[0], palm[2] - BAG_AHEAD)) < BAG_RADIUS + 0.1
        if near and _BAG[0] < palm[1] < _BAG[1]:
            sides.append(side)
    return frozenset(sides)
