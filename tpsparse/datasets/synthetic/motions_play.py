"""Six actions of play and dance, one function each: from phase to pose (metres and degrees, see ``posing``)."""

from __future__ import annotations

import numpy as np

from .posing import Style, both, mix, on_hip, plant, swing, tween, wave
from .skeleton import SIDES, Build, Pose, Reach, Swing

BAG_AHEAD = 0.86  # of the person's middle, to the bag's axis
BAG_RADIUS = 0.17
BALLS = 3


def skipping_rope(build: Build, style: Style, phase: float) -> Pose:
    """Hop over a turning rope: on both feet, running on alternate feet, or with the knees drawn up."""
    up = tween(phase, (0.0, 1.0), (0.22, 0.0), (0.5, 0.0), (0.78, 0.0))  # the rope passes below at whole phases
    land = tween(phase, (0.0, 0.0), (0.35, 1.0), (0.62, 1.0))
    drop = mix(0.99, mix(0.93, 0.86, style.extent), land)
    heel = mix(42, 0, land)
    hop = 0.16 * up + build.foot * np.sin(np.radians(heel)) * 0.85
    height = build.stand * drop + float(hop)
    foot = plant(build, 0.09, 0.03, 0.16 * up)
    legs, heels = both(foot), both(heel)
    if style.kind == 1:
        drawn = Swing(flex=78, spread=4, bend=96)
        even = int(phase // 1) % 2 == 0
        legs = style.sides(foot, drawn) if even else style.sides(drawn, foot)
        heels = style.sides(heel, 25.0) if even else style.sides(25.0, heel)
    if style.kind == 2 and up > 0.3:
        legs, heels = both(Swing(flex=45 * up, spread=4, bend=75 * up)), both(30.0)
    wide = mix(0.36, 0.46, style.extent)
    low = style.kind == 0
    level = height + (-0.06 if low else 0.12) + 0.02 * swing(phase + 0.25)
    hand = Reach(wide + 0.03 * swing(phase) + 0.08 * low, level, 0.1)
    return Pose(
        pelvis=(0.0, height, 0.0),
        facing=(0.0, 6 * land, 0.0),
        arms=both(hand),
        legs=legs,
        heels=heels,
        grips=both("rope"),
    )


def punching_bag(build: Build, style: Style, phase: float) -> Pose:
    """A boxing stance before a hanging bag: a jab, a cross, and for some a kick or lowered hands between."""
    jab = tween(phase, (0.05, 0.0), (0.17, 1.0), (0.3, 1.0), (0.4, 0.0))
    cross = tween(phase, (0.4, 0.0), (0.52, 1.0), (0.66, 1.0), (0.76, 0.0))
    rest = tween(phase, (0.78, 0.0), (0.86, 1.0), (0.97, 1.0), (0.03, 0.0)) if style.kind else 0.0
    rest = rest if phase % 1 > 0.76 or phase % 1 < 0.03 else 0.0
    height = build.stand * mix(0.985, 0.92, style.extent)
    level = height + build.trunk - 0.05
    kick = rest if style.kind == 2 else 0.0
    low = rest if style.kind == 1 else 0.0

    def fist(punch: float, inside: float) -> Reach:
        out, up = mix(0.12, inside, punch), mix(mix(level - 0.02, height - 0.12, low), level - 0.02, punch)
        ahead = mix(0.24 - 0.14 * low, BAG_AHEAD - BAG_RADIUS - 0.03, punch)
        return Reach(out + 0.12 * low, up, ahead, pole=(0.9, -1.0, -0.2))

    sign = SIDES[style.lead]
    # The knee comes up folded, then the leg stretches; else the foot would pass through the floor.
    knee_up = Swing(flex=95 * kick, bend=85 * np.sqrt(np.sin(np.pi * min(kick, 0.88))), spread=4)
    trail = knee_up if kick > 0.1 else plant(build, 0.15, -0.26)
    return Pose(
        pelvis=(0.0, height, -0.02 + 0.05 * cross),
        facing=(-sign * mix(18, 0, cross), 6.0, 0.0),
        spine=(sign * mix(-mix(4, 20, jab), 30, cross), 6.0, 0.0),
        head=(sign * mix(12, -12, cross), 6.0, 0.0),
        arms=style.sides(fist(jab, 0.05), fist(cross, 0.02)),
        legs=style.sides(plant(build, 0.13, 0.2), trail),
        heels=style.sides(0.0, 10.0 if kick > 0.1 else 38 * max(cross, 0.2 * style.extent)),
        grips=both(""),
    )


def juggling_balls(build: Build, style: Style, phase: float) -> Pose:
    """Three balls in a cascade: each hand is full half of the time; some march in place, some bend and stretch."""
    dip = wave(phase / 2) if style.kind == 2 else 0.0
    rise = max(0.0, 1 - 2.5 * dip) if style.kind == 2 else 0.0
    height = build.stand * mix(0.99, 0.84, dip) + 0.6 * build.foot * rise
    steps = {style.lead: max(0.0, swing(phase / 2)), style.trail: max(0.0, -swing(phase / 2))}
    marching = {side: style.kind == 1 and step > 0.2 for side, step in steps.items()}
    legs = {
        side: Swing(flex=mix(10, 60, step), bend=mix(15, 85, step), spread=4) if marching[side] else plant(build, 0.11)
        for side, step in steps.items()
    }
    arms = {}
    for side in SIDES:
        beat = phase - hand_beat(side)
        toss = tween(beat, (0.0, 1.0), (0.25, 0.15), (0.5, 0.25), (0.75, 0.0))
        low, high = ((-0.17, 0.2), (0.14, 0.34)) if style.extent < 0.5 else ((0.05, 0.2), (0.5, 0.52))
        up, ahead = height + mix(low[0], high[0], toss), mix(low[1], high[1], toss)
        arms[side] = Reach(0.25 - 0.05 * swing(beat), up, ahead, pole=(0.6, -1.0, -0.5))
    return Pose(
        pelvis=(0.03 * swing(phase / 3), height, -0.04 * dip),
        facing=(0.0, 16 * dip, 0.0),
        head=(0.0, -22 * wave(phase / 2), 0.0),
        arms=arms,
        legs=legs,
        heels={side: 20.0 if marching[side] else 40 * rise for side in SIDES},
        grips={side: "ball" if _hand_is_full(side, phase) else "" for side in SIDES},
    )


def hand_beat(side: str) -> float:
    """Fraction of the phase at which a juggling hand throws."""
    return 0.0 if side == "left" else 0.5


def _hand_is_full(side: str, phase: float) -> bool:
    # A hand catches half a phase before it throws.
    return (phase - hand_beat(side)) % 1.0 >= 0.5


def hopscotch(build: Build, style: Style, phase: float) -> Pose:
    """Hops on one foot, then on two, now and then a stop to pick up the stone."""
    beat = phase * 3  # three landings a repetition: one foot, two feet, the other foot
    number, share = int(beat // 1) % 3, beat % 1.0
    up = tween(share, (0.0, 0.0), (0.3, 1.0), (0.55, 0.0), (0.99, 0.0))
    stoop = tween(phase, (0.36, 0.0), (0.48, 1.0), (0.6, 1.0), (0.66, 0.0)) if style.kind == 0 else 0.0
    height = build.stand * mix(0.95, 1.0, up) * mix(1.0, 0.62, stoop) + 0.16 * up * (1 - stoop)
    place = 0.3 * swing(phase / 2)
    wide = 0.1 if number != 1 else 0.2
    foot = plant(build, wide, place, 0.16 * up * (1 - stoop))
    folded = Swing(flex=mix(8, 50, style.extent), bend=95, spread=4)
    legs = both(foot)
    if number != 1:
        support = style.lead if number == 0 else style.trail
        legs = {side: foot if side == support else folded for side in SIDES}
    open_arms = {0: Swing(flex=10, spread=82, bend=15), 1: Swing(flex=45, spread=28, bend=75)}
    arms = both(open_arms[0] if number != 1 else open_arms[1])
    if stoop > 0.2:
        arms = style.sides(Reach(0.05, mix(height, 0.12, stoop), place + 0.34), Swing(flex=30, spread=20, bend=40))
    return Pose(
        pelvis=(0.0, height, place - 0.14 * stoop),
        facing=(0.0, 8 + 52 * stoop, 0.0),
        spine=(0.0, 22 * stoop, 0.0),
        head=(0.0, 16.0, 0.0),
        arms=arms,
        legs=legs,
        heels=both(28 * up),
    )


def country_line_dancing(build: Build, style: Style, phase: float) -> Pose:
    """Steps to the side and back, a heel or a kick ahead, quarter turns; hands in the belt, clapping or swinging."""
    half = phase % 1.0
    slide = 0.28 * swing(phase)
    kick = tween(phase, (0.18, 0.0), (0.26, 1.0), (0.36, 1.0), (0.44, 0.0))
    touch = tween(phase, (0.68, 0.0), (0.76, 1.0), (0.88, 1.0), (0.95, 0.0))
    sign = SIDES[style.lead]
    height = build.stand * mix(0.985, 0.93, wave(2 * phase))
    stance = 0.1 + 0.12 * wave(2 * phase)

    def foot(side: str, ahead: float = 0.0) -> Reach:
        # Feet follow the slide, which is given in the person frame and not to the foot's own side.
        return plant(build, stance + SIDES[side] * sign * slide, ahead)

    lead = Swing(flex=mix(10, 68, kick), bend=mix(30, 12, kick)) if kick > 0.1 else foot(style.lead)
    trail = Swing(flex=-20 * touch, bend=88 * touch, spread=5) if touch > 0.3 else foot(style.trail)
    clap = Reach(0.03, height + 0.34, 0.27, pole=(1.0, -0.6, 0.0))
    swung = style.sides(Swing(flex=45 * swing(phase), spread=12, bend=60), Swing(flex=-30 * swing(phase), spread=12))
    arms = {0: both(on_hip(build, height)), 1: both(clap), 2: swung}[style.kind]
    if style.kind == 1 and 0.45 < half < 0.9:
        arms = both(Swing(flex=8, spread=14, bend=22))
    return Pose(
        grips=both("hip" if style.kind == 0 else ""),
        pelvis=(sign * slide, height, 0.0),
        facing=(sign * 42 * tween(phase, (0.44, 0.0), (0.54, 1.0), (0.9, 1.0), (0.98, 0.0)), 4.0, 0.0),
        spine=(sign * 20 * swing(2 * phase), 0.0, 4 * swing(phase)),
        arms=arms if style.kind != 0 else _belt_moved(arms, sign * slide),
        legs=style.sides(lead, trail),
        heels=style.sides(-12 * kick, 30.0 if touch > 0.3 else 0.0),
    )


def _belt_moved(arms: dict, slide: float) -> dict:
    return {side: Reach(limb.out + SIDES[side] * slide, limb.up, limb.ahead, limb.pole) for side, limb in arms.items()}


def belly_dancing(build: Build, style: Style, phase: float) -> Pose:
    """The hips drop from side to side under raised or open arms."""
    sway = tween(phase, (0.0, 0.0), (0.12, 1.0), (0.38, 1.0), (0.5, 0.0), (0.62, -1.0), (0.88, -1.0))
    tip = mix(11, 17, style.extent) * sway
    sink = 0.95 + 0.045 * wave(phase / 2)
    height = build.stand * sink
    curl = swing(phase / 2)
    over = Swing(flex=20, spread=150 + 12 * curl, bend=35)
    aside = Swing(flex=18, spread=78 + 16 * curl, bend=28)
    low = Swing(flex=20, spread=34 + 12 * curl, bend=62)
    slow = (phase / 2) % 1.0 < 0.5
    arms = {0: both(over if slow else aside), 1: style.sides(over, low), 2: both(aside if slow else low)}[style.kind]
    raised = {"left": max(0.0, -sway), "right": max(0.0, sway)}
    return Pose(
        pelvis=(0.05 * sway, height, 0.0),
        facing=(14 * curl, 0.0, tip),
        spine=(-14 * curl, 0.0, -1.1 * tip),
        head=(0.0, 0.0, -0.3 * tip),
        arms=arms,
        legs={side: plant(build, 0.11, 0.07 * raised[side]) for side in SIDES},
        heels={side: 36 * raised[side] for side in SIDES},
    )
