"""Six actions of strength, one function each: from phase to pose (metres and degrees, see ``posing``)."""

from __future__ import annotations

import numpy as np

from .posing import Style, both, mix, on_hip, plant, straight_up, swing, tween, wave
from .skeleton import Build, Pose, Reach, Swing

_HANG_CLEARANCE = 0.06


def bar_height(build: Build) -> float:
    """Height of the pull-up bar: stretched arms leave the feet just above the floor."""
    return build.stand + _HANG_CLEARANCE + build.trunk - 0.045 + straight_up(build, build.shoulder + 0.1)


def pull_ups(build: Build, style: Style, phase: float) -> Pose:
    """Hang from the bar and pull up; legs hang and meet the floor below, fold back, or are raised on the way."""
    rise = tween(phase, (0.0, 0.0), (0.18, 0.0), (0.5, 1.0), (0.7, 1.0)) * mix(0.38, 0.46, style.extent)
    legs = {
        0: both(Swing(flex=4 + 6 * swing(phase), spread=3, bend=6)),
        1: both(Swing(flex=6, spread=5, bend=mix(70, 100, wave(phase)))),
        2: both(Swing(flex=75 * wave(phase + 0.25), spread=4, bend=60 * wave(phase + 0.25))),
    }[style.kind]
    standing = style.kind == 0 and rise < 0.05
    if standing:
        legs = both(plant(build, build.hip + 0.02))
    hand = Reach(build.shoulder + mix(0.06, 0.16, style.extent), bar_height(build), 0.0, pole=(1.0, -1.0, -0.2))
    return Pose(
        pelvis=(0.0, build.stand + _HANG_CLEARANCE + rise, -0.03 * swing(phase)),
        facing=(0.0, -8 * wave(phase), 0.0),
        head=(0.0, mix(-24, 2, wave(phase - 0.1)), 0.0),
        arms=both(hand),
        legs=legs,
        heels=both(mix(20.0, 40.0, rise / 0.05) if standing else 35.0),
        grips=both("horizontal_bar"),
    )


def push_up(build: Build, style: Style, phase: float) -> Pose:
    """Press up from the floor on the toes or the knees; some lift a leg or tap a shoulder between presses."""
    lowered = tween(phase, (0.0, 0.0), (0.34, 0.0), (0.56, 1.0), (0.74, 1.0))
    shoulder_height = mix(0.965 * build.arm + 0.03, 0.2, lowered)
    on_knees = style.kind == 1
    base_height, length = (0.06, build.thigh) if on_knees else (0.165, build.leg)
    to_shoulder = build.trunk - 0.045
    slope = np.arcsin((shoulder_height - base_height) / (length + to_shoulder))
    forward = -0.6 if on_knees else -0.85
    pelvis = (0.0, base_height + length * np.sin(slope), forward + length * np.cos(slope))
    # Hands stay where the arms are upright in the high position.
    hand_ahead = forward + np.cos(np.arcsin(0.9 * build.arm / (length + to_shoulder) * 0.8)) * (length + to_shoulder)
    hand = Reach(build.shoulder + 0.08, 0.035, hand_ahead, pole=(1.0, 0.3, -0.9))
    pause = tween(phase, (0.04, 0.0), (0.14, 1.0), (0.22, 1.0), (0.32, 0.0))
    arms, legs, heels = both(hand), both(Reach(build.hip, 0.0, forward)), both(72.0)
    if on_knees:
        legs, heels = both(Swing(bend=100)), both(30.0)
    if style.kind == 0 and pause > 0:
        up = mix(hand.up, shoulder_height - 0.08, pause)
        tap = Reach(mix(hand.out, -0.02, pause), up, hand_ahead - 0.04 * pause, pole=(1.0, 0.1, -0.4))
        arms = _turned(style, phase, tap, hand)
    if style.kind == 2:
        raised = Swing(flex=-22 * wave(phase), bend=8)
        on_toes = Reach(build.hip, 0.0, forward)
        legs, heels = _turned(style, phase, raised, on_toes), _turned(style, phase, 25.0, 72.0)
    return Pose(
        pelvis=(pelvis[0], float(pelvis[1]), float(pelvis[2])),
        facing=(0.0, 90 - float(np.degrees(slope)), 0.0),
        head=(0.0, mix(-30, 4, lowered), 0.0),
        arms=arms,
        legs=legs,
        heels=heels,
        flat_hands=True,
    )


def clean_and_jerk(build: Build, style: Style, phase: float) -> Pose:
    """Barbell from the floor to the shoulders, a dip, a split under the stretched arms, and a stand."""
    share = tween(
        phase, (0.0, 0.5), (0.08, 0.5), (0.2, 0.95), (0.28, 0.55), (0.36, 0.55), (0.46, 0.98), (0.52, 0.86),
        (0.58, 0.78), (0.7, 0.78), (0.8, 0.98), (0.9, 0.98),
    )  # fmt: skip
    pitch = tween(phase, (0.0, 48), (0.08, 48), (0.2, 12), (0.28, 10), (0.46, 2), (0.9, 0))
    back = tween(phase, (0.0, -0.24), (0.08, -0.24), (0.2, -0.04), (0.32, -0.14), (0.46, 0.0), (0.9, 0.0))
    rack = build.trunk - 0.045
    overhead = rack + straight_up(build, 0.32)
    above = tween(
        phase, (0.0, 0.21 - 0.5 * build.stand), (0.08, 0.21 - 0.5 * build.stand), (0.2, -0.06), (0.28, rack),
        (0.5, rack), (0.57, overhead), (0.9, overhead),
    )  # fmt: skip
    ahead = tween(phase, (0.0, 0.16), (0.2, 0.16), (0.28, 0.14), (0.5, 0.14), (0.57, 0.0), (0.9, 0.0))
    split = tween(phase, (0.5, 0.0), (0.58, 1.0), (0.7, 1.0), (0.78, 0.0)) * mix(0.75, 1.0, style.extent)
    height = share * build.stand
    lead, trail = plant(build, 0.16, 0.34 * split), plant(build, 0.16, -0.42 * split)
    return Pose(
        pelvis=(0.0, height, back),
        facing=(0.0, pitch * 0.6, 0.0),
        spine=(0.0, pitch * 0.4, 0.0),
        head=(0.0, -0.6 * pitch, 0.0),
        arms=both(Reach(0.32, max(height + above, 0.21), ahead, pole=(0.6, -0.4, 0.6))),
        legs=style.sides(lead, trail),
        heels=style.sides(0.0, 48 * split),
        grips=both("barbell"),
    )


def front_raises(build: Build, style: Style, phase: float) -> Pose:
    """Dumbbells raised ahead to shoulder height, together or in turn; some bend the knees, some rise on the toes."""
    together = style.kind != 1
    lifts = {
        style.lead: tween(phase, (0.0, 0.0), (0.2, 0.0), (0.45, 1.0), (0.75, 1.0)),
        style.trail: tween(phase + (0.0 if together else 0.5), (0.0, 0.0), (0.2, 0.0), (0.45, 1.0), (0.75, 1.0)),
    }
    arms = {side: Swing(flex=mix(4, mix(82, 98, style.extent), up), spread=9, bend=7) for side, up in lifts.items()}
    mean = sum(lifts.values()) / 2
    knees = 1 - mean if style.kind == 0 else 0.0
    rise = mean if style.kind == 2 else 0.0
    height = build.stand * mix(0.995, 0.86, knees) + build.foot * 0.62 * rise
    return Pose(
        pelvis=(0.0, height, -0.05 * knees + 0.03 * rise),
        facing=(0.0, mix(-4, 24, knees), 0.0),
        head=(0.0, -12 * knees, 0.0),
        arms=arms,
        legs=both(plant(build, 0.12)),
        heels=both(42 * rise),
        grips=both("dumbbell"),
    )


def lunge(build: Build, style: Style, phase: float) -> Pose:
    """A long step ahead into a deep bend of both knees, and back; sides take turns."""
    deep = tween(phase, (0.0, 0.0), (0.12, 0.0), (0.4, 1.0), (0.68, 1.0), (0.94, 0.0))
    stride = tween(phase, (0.0, 0.0), (0.1, 0.0), (0.32, 1.0), (0.72, 1.0), (0.95, 0.0))
    step = 0.16 * np.sin(np.pi * stride) * (stride < 0.999)
    height = build.stand * mix(0.995, mix(0.6, 0.52, style.extent), deep)
    front, rear = plant(build, 0.1, 0.48 * stride, float(step)), plant(build, 0.1, -0.34 * stride)
    clasped = Reach(0.035, height + 0.32, 0.26, pole=(1.0, -0.7, 0.0))
    overhead = Reach(0.12, height + build.trunk + 0.5, 0.03, pole=(1.0, 0.0, -0.3))
    arms = {
        0: both(on_hip(build, height)),
        1: both(clasped if deep > 0.5 else Swing(flex=6, spread=8, bend=14)),
        2: both(overhead if deep > 0.5 else Swing(flex=2, spread=10, bend=10)),
    }[style.kind]
    if style.kind and 0.12 < deep < 0.88:
        arms = both(Swing(flex=mix(6, 130 if style.kind == 2 else 40, deep), spread=10, bend=mix(14, 90, deep)))
    return Pose(
        grips=both("hip" if style.kind == 0 else ""),
        pelvis=(0.0, height, 0.06 * stride),
        facing=(0.0, 6 * deep, 0.0),
        arms=arms,
        legs=_turned(style, phase, front, rear),
        heels=_turned(style, phase, 0.0, 50 * stride),
    )


def deadlifting(build: Build, style: Style, phase: float) -> Pose:
    """Barbell from the floor to straight legs and hips, and down again."""
    up = tween(phase, (0.0, 0.0), (0.16, 0.0), (0.48, 1.0), (0.72, 1.0))
    stiff = style.kind == 1  # straight-legged: the trunk does the work
    height = build.stand * mix(0.86 if stiff else 0.64, 0.99, up)
    pitch = mix(84 if stiff else 64, -3, up)
    bar = mix(0.3 if stiff else 0.21, build.stand - 0.09, up)
    # Some finish on their toes.
    rise = tween(phase, (0.46, 0.0), (0.54, 1.0), (0.68, 1.0), (0.74, 0.0)) * (style.kind == 0)
    height += build.foot * 0.6 * rise
    bar += build.foot * 0.6 * rise
    return Pose(
        pelvis=(0.0, height, mix(-0.26, 0.03 * rise, up)),
        facing=(0.0, pitch * 0.65, 0.0),
        spine=(0.0, pitch * 0.35, 0.0),
        head=(0.0, -0.35 * pitch, 0.0),
        arms=both(Reach(0.27, bar, mix(0.12, 0.17, up), pole=(0.8, -0.2, -0.4))),
        legs=both(plant(build, 0.26 if style.kind == 2 else 0.13)),
        heels=both(40 * rise),
        grips=both("barbell"),
    )


def _turned(style: Style, phase: float, first: Reach | Swing | float, second: Reach | Swing | float) -> dict:
    """Even repetitions give ``first`` to the leading side, odd ones to the other."""
    return style.sides(first, second) if int(phase // 1) % 2 == 0 else style.sides(second, first)
