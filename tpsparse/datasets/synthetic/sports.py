"""The sports that can be drawn: each a sequence of sub-actions, and one instance of it laid out in time.

Nothing in a picture tells the sport but the poses: sports are told apart by their sub-actions alone, some of which they
share. T frames of an instance, B inner boundaries; a boundary is the position of the first frame of a sub-action.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import motions_athletics as athletics
from . import motions_gymnastics as gymnastics
from . import motions_play as play
from . import motions_strength as strength
from .blending import blend
from .files import FPS
from .posing import Motion, Style
from .skeleton import Build, Skeleton, forward_kinematics

TRANSITION = (3, 6)
"""Fewest and most frames between two sub-actions; the boundary is in the middle of them."""


@dataclass(frozen=True)
class SubAction:
    """One stage of an action.

    Args:
        motion: From build, style and phase to a pose.
        frames: (fewest, most) frames.
        span: Phases at its start and end, for a motion that runs once.
        seconds: (shortest, longest) repetition, for a motion that goes on; then ``span`` is not used.
    """

    motion: Motion
    frames: tuple[int, int]
    span: tuple[float, float] = (0.0, 1.0)
    seconds: tuple[float, float] | None = None


SUB_ACTIONS: dict[str, SubAction] = {
    "salute": SubAction(athletics.salute, (8, 16)),
    "run_up": SubAction(athletics.run, (24, 60), seconds=(0.6, 0.8)),
    "take_off": SubAction(athletics.take_off, (8, 11)),
    "flight": SubAction(athletics.flight, (8, 13)),
    "hop": SubAction(athletics.hop, (8, 12)),
    "bound": SubAction(athletics.bound, (8, 12)),
    "landing": SubAction(athletics.landing, (9, 15)),
    "arch": SubAction(athletics.arch, (8, 13)),
    "mat": SubAction(athletics.mat, (9, 15)),
    "draw_back": SubAction(athletics.draw_back, (9, 16)),
    "throw": SubAction(athletics.throw, (8, 11)),
    "recover": SubAction(athletics.recover, (9, 16)),
    "swing_around": SubAction(athletics.swing_around, (16, 36), seconds=(0.8, 1.1)),
    "wind_up": SubAction(athletics.wind_up, (16, 36), seconds=(1.2, 1.8)),
    "rotate": SubAction(athletics.rotate, (14, 32), seconds=(0.8, 1.1)),
    "release": SubAction(athletics.release, (8, 11)),
    "glide": SubAction(athletics.glide, (9, 14)),
    "put": SubAction(athletics.put, (8, 11)),
    "spring": SubAction(athletics.spring, (9, 14)),
    "steps": SubAction(gymnastics.steps, (12, 26), seconds=(1.2, 1.8)),
    "dance": SubAction(play.belly_dancing, (12, 24), seconds=(1.0, 1.6)),
    "balance": SubAction(gymnastics.balance, (10, 20)),
    "leap": SubAction(gymnastics.leap, (8, 12)),
    "pirouette": SubAction(gymnastics.pirouette, (9, 16)),
    "handstand": SubAction(gymnastics.handstand, (10, 18)),
    "handspring": SubAction(gymnastics.handspring, (8, 12)),
    "cartwheel": SubAction(gymnastics.cartwheel, (8, 13)),
    "somersault": SubAction(gymnastics.somersault, (8, 12)),
    "pike": SubAction(gymnastics.pike, (8, 12)),
    "entry": SubAction(gymnastics.entry, (8, 12)),
    "clean": SubAction(strength.clean_and_jerk, (16, 30), (0.05, 0.3)),
    "rise": SubAction(strength.clean_and_jerk, (10, 18), (0.33, 0.47)),
    "jerk": SubAction(strength.clean_and_jerk, (10, 16), (0.49, 0.7)),
    "hold": SubAction(strength.clean_and_jerk, (10, 20), (0.8, 0.9)),
}


@dataclass(frozen=True)
class Step:
    """A stretch of a sport: names of sub-actions in order, left out with some odds or repeated as a whole."""

    names: tuple[str, ...]
    odds: float = 1.0
    repeats: tuple[int, int] = (1, 1)


def _steps(*steps: str | tuple[str, float] | Step) -> tuple[Step, ...]:
    """Names that are always there, names with their odds, and longer stretches."""
    made = []
    for step in steps:
        if isinstance(step, str):
            step = (step, 1.0)
        made.append(step if isinstance(step, Step) else Step((step[0],), step[1]))
    return tuple(made)


SPORTS: dict[str, tuple[Step, ...]] = {
    "triple_jump": _steps(("salute", 0.4), "run_up", "hop", "bound", "flight", "landing"),
    "long_jump": _steps(("salute", 0.4), "run_up", "take_off", "flight", "landing"),
    "high_jump": _steps(("salute", 0.4), "run_up", "take_off", "arch", "mat"),
    "vault": _steps("salute", "run_up", "handspring", "somersault", "landing", ("salute", 0.5)),
    "javelin_throw": _steps(("salute", 0.4), "run_up", "draw_back", "throw", "recover"),
    "hammer_throw": _steps("swing_around", "rotate", "release", "recover"),
    "beam": _steps(
        ("salute", 0.4), "steps", "balance", "leap", ("pirouette", 0.6), ("handstand", 0.5), "somersault", "landing"
    ),
    "tumbling": _steps(
        ("salute", 0.4), "run_up", Step(("cartwheel", "somersault"), repeats=(1, 2)), "landing", ("salute", 0.4)
    ),
    "discus_throw": _steps("wind_up", "rotate", "throw", "recover"),
    "shot_put": _steps(("salute", 0.4), "wind_up", "glide", "put", "recover"),
    "floor_exercise": _steps(
        "dance", "leap", ("balance", 0.5), Step(("cartwheel", "handspring"), repeats=(1, 2)), "landing", ("dance", 0.5)
    ),
    "diving": _steps("salute", "spring", Step(("pike",), odds=0.5), "somersault", "entry"),
    "clean_and_jerk": _steps("clean", "rise", "jerk", "hold"),
}


@dataclass(frozen=True)
class Routine:
    """One instance of a sport in time.

    Args:
        names: Its sub-actions.
        substages: 0, the B boundaries, T.
        rhythms: Of each sub-action the seconds of a repetition and the phase at its start; used where it goes on.
        widths: (B,) frames of the transition at each boundary.
    """

    names: tuple[str, ...]
    substages: tuple[int, ...]
    rhythms: tuple[tuple[float, float], ...]
    widths: tuple[int, ...]

    @property
    def num_frames(self) -> int:
        """T."""
        return self.substages[-1]

    def body(self, build: Build, style: Style, frame: int) -> Skeleton:
        """The body in the person frame in frame number ``frame`` (from 0)."""
        current = int(np.searchsorted(self.substages, frame, side="right")) - 1
        start, end = self.substages[current : current + 2]
        nearest = current if frame - start < end - frame else current + 1
        share = self._share(nearest, frame)
        if not 0 < share < 1:
            return self._of(current, build, style, frame)
        return blend(self._of(nearest - 1, build, style, frame), self._of(nearest, build, style, frame), share)

    def _share(self, number: int, frame: int) -> float:
        """How far the body has changed into sub-action ``number`` from that before it."""
        if not 0 < number < len(self.names):
            return 0.0
        # Half way between the last frame before the boundary and the first behind it.
        along = (frame - (self.substages[number] - 0.5)) / self.widths[number - 1] + 0.5
        along = float(np.clip(along, 0, 1))
        return along * along * (3 - 2 * along)

    def _of(self, number: int, build: Build, style: Style, frame: int) -> Skeleton:
        """The body as sub-action ``number`` has it, also a little before and behind its frames."""
        kind = SUB_ACTIONS[self.names[number]]
        start, end = self.substages[number : number + 2]
        if kind.seconds:
            seconds, first = self.rhythms[number]
            phase = first + (frame - start) / (FPS * seconds)
        else:
            share = float(np.clip((frame - start) / (end - start - 1), 0, 1))
            phase = kind.span[0] + (kind.span[1] - kind.span[0]) * share
        return forward_kinematics(build, kind.motion(build, style, phase))


def plan_routine(rng: np.random.Generator, sport: str) -> Routine:
    """Draw which sub-actions an instance has, and how long each takes."""
    names: list[str] = []
    for step in SPORTS[sport]:
        there = rng.random() < step.odds
        repeats = int(rng.integers(step.repeats[0], step.repeats[1] + 1))
        names += step.names * repeats if there else ()
    kinds = [SUB_ACTIONS[name] for name in names]
    lengths = [int(rng.integers(kind.frames[0], kind.frames[1] + 1)) for kind in kinds]
    rhythms = [(float(rng.uniform(*(kind.seconds or (0, 0)))), float(rng.random())) for kind in kinds]
    widths = rng.integers(TRANSITION[0], TRANSITION[1] + 1, size=len(names) - 1)
    substages = (0, *np.cumsum(lengths).tolist())
    return Routine(tuple(names), substages, tuple(rhythms), tuple(widths.tolist()))
