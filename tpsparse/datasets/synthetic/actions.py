"""The actions that can be drawn: an official name, its motion, its object and how it is filmed."""

from __future__ import annotations

from dataclasses import dataclass

from . import motions_play as play
from . import motions_strength as strength
from .posing import Motion


@dataclass(frozen=True)
class Action:
    """One action.

    Args:
        name: Official name, also the folder.
        motion: From build, style and phase to a pose.
        prop: Name of the object in use, "" for none.
        seconds: (shortest, longest) repetition.
        yaw: Typical turn of the person away from the camera in degrees, to either side.
        room: Width in metres that one person takes in a row.
    """

    name: str
    motion: Motion
    prop: str = ""
    seconds: tuple[float, float] = (1.6, 2.6)
    yaw: float = 0.0
    room: float = 0.8


ACTIONS: tuple[Action, ...] = (
    Action("pull_ups", strength.pull_ups, "horizontal_bar", room=0.95),
    Action("push_up", strength.push_up, yaw=48, room=0.95),
    Action("clean_and_jerk", strength.clean_and_jerk, "barbell", (2.6, 3.8), room=1.35),
    Action("front_raises", strength.front_raises, "dumbbell"),
    Action("lunge", strength.lunge, yaw=42),
    Action("skipping_rope", play.skipping_rope, "rope", (0.8, 1.2), room=1.2),
    Action("punching_bag", play.punching_bag, "punching_bag", (1.6, 2.2), yaw=66, room=1.2),
    Action("juggling_balls", play.juggling_balls, "ball", (0.9, 1.3), room=0.9),
    Action("deadlifting", strength.deadlifting, "barbell", (1.8, 2.8), yaw=14, room=1.35),
    Action("hopscotch", play.hopscotch, "", (1.8, 2.6), room=1.0),
    Action("country_line_dancing", play.country_line_dancing, "", (1.6, 2.4), room=1.0),
    Action("belly_dancing", play.belly_dancing, "", (1.0, 1.6), room=0.9),
)
