"""What the motions share: a person's style, curves over a phase, and stances.

A phase counts repetitions: its whole part is the number of the repetition, its fraction runs through one.
Lengths are metres, angles degrees, in the person frame of ``skeleton``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .skeleton import SIDES, Build, Limb, Pose, Reach

OTHER = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Style:
    """How one person does the action.

    Args:
        kind: 0, 1 or 2: which of three ways.
        extent: In [0, 1]: from a small to a full movement.
        lead: The side that begins.
    """

    kind: int
    extent: float
    lead: str

    @property
    def trail(self) -> str:
        """The other side."""
        return OTHER[self.lead]

    def sides(self, lead: Limb | float | str, trail: Limb | float | str) -> dict:
        """A value for each side."""
        return {self.lead: lead, self.trail: trail}


Motion = Callable[[Build, Style, float], Pose]


def both(value: Limb | float | str) -> dict:
    """The same value for both sides."""
    return dict.fromkeys(SIDES, value)


def tween(phase: float, *keys: tuple[float, float]) -> float:
    """A smooth closed curve through ``keys`` (fraction of the repetition, value); it rests at each key."""
    times = np.array([time for time, _ in keys])
    values = np.array([value for _, value in keys], dtype=float)
    fraction = phase % 1.0
    after = int(np.searchsorted(times, fraction, side="right"))
    before = after - 1
    start = times[before] - (1.0 if before < 0 else 0.0)
    end = times[after % len(times)] + (1.0 if after == len(times) else 0.0)
    share = (fraction - start) / max(end - start, 1e-9)
    share = share * share * (3 - 2 * share)
    return float(values[before] + (values[after % len(times)] - values[before]) * share)


def wave(phase: float) -> float:
    """0 at whole phases, 1 half way, smooth."""
    return float(0.5 - 0.5 * np.cos(2 * np.pi * phase))


def swing(phase: float) -> float:
    """Sine of the phase, in [-1, 1]."""
    return float(np.sin(2 * np.pi * phase))


def mix(start: float, end: float, share: float) -> float:
    """From ``start`` to ``end``."""
    return start + (end - start) * share


def plant(build: Build, out: float, ahead: float = 0.0, up: float = 0.0) -> Reach:
    """A foot whose ankle stands ``ahead`` of the middle, flat unless the heel is lifted."""
    return Reach(out, up, ahead + build.foot)


def straight_up(build: Build, out: float) -> float:
    """Height of the palm above the shoulder of a stretched arm whose palm is ``out`` from the middle."""
    length = (build.arm + build.hand / 2) * 0.995
    return float(np.sqrt(length**2 - (out - build.shoulder) ** 2))


def on_hip(build: Build, pelvis_height: float) -> Reach:
    """A hand set on the hip, elbow out."""
    return Reach(build.hip + 0.11, pelvis_height + 0.07, 0.05, pole=(1.0, 0.0, -0.7))
