"""One instance of a sport before it is drawn: a person, a routine, and what surrounds them.

Everything random is drawn from the generator that is handed in. Sizes are (height, width) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .figure import Dresser, Outfit, draw_build, draw_figure, draw_outfit
from .posing import Style
from .setting import Setting, draw_setting, outline
from .skeleton import SIDES, Build, Skeleton
from .sports import Routine

_YAW = (20.0, 70.0)  # degrees away from the camera, to either side: sub-actions are told best from there


@dataclass(frozen=True)
class Athlete:
    """Who performs: one person, whose style and view are the same all through."""

    build: Build
    outfit: Outfit
    style: Style
    yaw: float

    def body(self, routine: Routine, frame: int) -> Skeleton:
        """The body in the world in frame number ``frame`` (from 0)."""
        return routine.body(self.build, self.style, frame).moved(self.yaw, (0.0, 0.0, 0.0))


@dataclass(frozen=True)
class SportScene:
    """An instance before it is drawn."""

    athlete: Athlete
    routine: Routine
    setting: Setting

    def render(self, frame: int) -> np.ndarray:
        """Frame number ``frame`` (from 0) as (H, W, 3) uint8 RGB."""
        painter = self.setting.painter(frame)
        athlete = self.athlete
        draw_figure(painter, athlete.body(self.routine, frame), athlete.build, athlete.outfit, Dresser(0))
        return self.setting.picture(painter, frame, athlete.outfit.palette())


def plan_instance(rng: np.random.Generator, routine: Routine, *, size: tuple[int, int]) -> SportScene:
    """Draw who performs a routine, and where."""
    athlete = Athlete(
        build=draw_build(rng),
        outfit=draw_outfit(rng, ""),
        style=Style(int(rng.integers(3)), float(rng.random()), str(rng.choice(list(SIDES)))),
        yaw=float(rng.choice([-1, 1]) * rng.uniform(*_YAW)),
    )
    points = [outline(athlete.body(routine, frame)) for frame in range(0, routine.num_frames, 2)]
    return SportScene(athlete, routine, draw_setting(rng, np.concatenate(points), routine.num_frames, size))
