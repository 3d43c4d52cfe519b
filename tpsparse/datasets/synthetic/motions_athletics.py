"""Sub-actions of track and field, one function each: from phase to pose (metres and degrees, see ``posing``).

A cyclic one counts repetitions in its phase, the others run once through phases 0 to 1. Limbs are given by angles
alone, and :func:`set_down` puts the whole body on the floor or above it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .posing import Style, both, mix, swing, tween, wave
from .skeleton import Build, Pose, Swing, forward_kinematics


def set_down(build: Build, pose: Pose, lift: float = 0.0) -> Pose:
    """The pose raised or lowered until its lowest joint is ``lift`` metres above the floor."""
    lowest = min(float(point[1]) for point in forward_kinematics(build, pose).points.values())
    x, y, z = pose.pelvis
    return replace(pose, pelvis=(x, y - lowest + lift, z))


def airborne(phase: float) -> float:
    """Height of a jump from 0 over 1 to 0, as a thrown body rises and falls."""
    share = min(max(phase, 0.0), 1.0)
    return 4 * share * (1 - share)


def ramp(phase: float, *keys: tuple[float, float]) -> float:
    """As :func:`.tween` for a motion that runs once: held before the first key and behind the last."""
    return tween(min(max(phase, keys[0][0]), keys[-1][0] - 1e-6), *keys)


def _upright(build: Build) -> tuple[float, float, float]:
    return (0.0, build.stand, 0.0)


def salute(build: Build, style: Style, phase: float) -> Pose:
    """Stand and raise one arm or both."""
    up = ramp(phase, (0.0, 0.0), (0.35, 1.0), (1.0, 1.0))
    raised = Swing(flex=12, spread=mix(20, 160, up), bend=8)
    arms = both(raised) if style.kind else style.sides(raised, Swing(spread=12, bend=6))
    pose = Pose(_upright(build), head=(0.0, -14 * up, 0.0), arms=arms, legs=both(Swing(spread=2)))
    return set_down(build, pose)


def run(build: Build, style: Style, phase: float) -> Pose:
    """Run on the spot, two steps a repetition."""
    reach = mix(34, 46, style.extent)

    def leg(beat: float) -> Swing:
        return Swing(flex=16 + reach * swing(beat), bend=24 + 78 * max(0.0, swing(beat + 0.25)))

    def arm(beat: float) -> Swing:
        return Swing(flex=-6 - 48 * swing(beat), spread=10, bend=88)

    pose = Pose(
        _upright(build),
        facing=(0.0, 10.0, 0.0),
        spine=(9 * swing(phase), 4.0, 0.0),
        arms=style.sides(arm(phase), arm(phase + 0.5)),
        legs=style.sides(leg(phase), leg(phase + 0.5)),
        heels=style.sides(22 * wave(phase), 22 * wave(phase + 0.5)),
    )
    return set_down(build, pose, 0.07 * wave(2 * phase))


def take_off(build: Build, style: Style, phase: float) -> Pose:
    """Jump off one foot: the other knee and both arms are driven up."""
    up = ramp(phase, (0.0, 0.0), (0.6, 1.0), (1.0, 1.0))
    pose = Pose(
        _upright(build),
        facing=(0.0, mix(14, -10, up), 0.0),
        head=(0.0, -14 * up, 0.0),
        arms=both(Swing(flex=mix(-30, 150, up), spread=14, bend=mix(40, 20, up))),
        legs=style.sides(Swing(flex=mix(10, 88, up), bend=mix(70, 96, up)), Swing(flex=mix(20, -14, up), bend=6)),
        heels=style.sides(20.0, 50 * up),
    )
    return set_down(build, pose, 0.2 * up)


def flight(build: Build, style: Style, phase: float) -> Pose:
    """Sail through the air folded over stretched legs, arms reaching for the feet."""
    fold = ramp(phase, (0.0, 0.5), (0.5, 1.0), (1.0, 0.8))
    pose = Pose(
        _upright(build),
        facing=(0.0, mix(0, 14, fold), 0.0),
        spine=(0.0, 40 * fold, 0.0),
        arms=both(Swing(flex=mix(150, 78, fold), spread=10, bend=6)),
        legs=both(Swing(flex=92 * fold, spread=4, bend=mix(40, 8, fold))),
    )
    return set_down(build, pose, 0.12 + 0.2 * airborne(phase))


def hop(build: Build, style: Style, phase: float) -> Pose:
    """Bounce from one foot onto the same: the jumping leg is drawn under the body, the other hangs behind."""
    drawn = ramp(phase, (0.0, 0.2), (0.45, 1.0), (1.0, 0.5))
    pose = Pose(
        _upright(build),
        facing=(0.0, 4.0, 0.0),
        arms=both(Swing(flex=mix(40, -46, drawn), spread=26, bend=30)),
        legs=style.sides(Swing(flex=mix(10, 66, drawn), bend=mix(50, 130, drawn)), Swing(flex=-30, bend=60)),
        heels=both(24.0),
    )
    return set_down(build, pose, 0.06 + 0.12 * airborne(phase))


def bound(build: Build, style: Style, phase: float) -> Pose:
    """A flying step: one thigh level ahead, the other leg far behind, the arms opposite and wide."""
    wide = ramp(phase, (0.0, 0.4), (0.4, 1.0), (1.0, 0.9))
    pose = Pose(
        _upright(build),
        facing=(0.0, 2.0, 0.0),
        arms=style.sides(Swing(flex=-62 * wide, spread=22, bend=16), Swing(flex=96 * wide, spread=16, bend=30)),
        legs=style.sides(Swing(flex=-48 * wide, bend=34), Swing(flex=86 * wide, bend=80)),
        heels=both(18.0),
    )
    return set_down(build, pose, 0.06 + 0.16 * airborne(phase))


def landing(build: Build, style: Style, phase: float) -> Pose:
    """Give way into a deep squat, arms ahead, and begin to rise."""
    deep = ramp(phase, (0.0, 0.45), (0.35, 1.0), (0.65, 1.0), (1.0, 0.55))
    pose = Pose(
        _upright(build),
        facing=(0.0, 30 * deep, 0.0),
        spine=(0.0, 16 * deep, 0.0),
        head=(0.0, -20 * deep, 0.0),
        arms=both(Swing(flex=mix(70, 118, deep), spread=16, bend=8)),
        legs=both(Swing(flex=112 * deep, spread=10, bend=mix(0, 128, deep))),
        heels=both(-18 * deep),
    )
    return set_down(build, pose)


def arch(build: Build, style: Style, phase: float) -> Pose:
    """Cross a bar on the back, the body arched, the shins hanging."""
    turn = ramp(phase, (0.0, -50), (0.5, -88), (1.0, -104))
    pose = Pose(
        _upright(build),
        facing=(0.0, turn, 0.0),
        spine=(0.0, -34.0, 0.0),
        head=(0.0, -24.0, 0.0),
        arms=both(Swing(flex=-8, spread=24, bend=10)),
        legs=both(Swing(flex=-22, spread=12, bend=88)),
        heels=both(40.0),
    )
    return set_down(build, pose, 0.35 + 0.25 * airborne(phase))


def mat(build: Build, style: Style, phase: float) -> Pose:
    """Lie on the mat on shoulders and back, the legs up and opening."""
    roll = ramp(phase, (0.0, 0.0), (0.7, 1.0), (1.0, 1.0))
    pose = Pose(
        _upright(build),
        facing=(0.0, mix(-112, -86, roll), 0.0),
        spine=(0.0, 24.0, 0.0),
        head=(0.0, 30.0, 0.0),
        arms=both(Swing(flex=20, spread=72, bend=20)),
        legs=both(Swing(flex=mix(96, 60, roll), spread=14, bend=mix(10, 70, roll))),
        heels=both(30.0),
    )
    return set_down(build, pose, 0.1)


def draw_back(build: Build, style: Style, phase: float) -> Pose:
    """Side on, the throwing arm stretched far behind, the other ahead, the legs crossing."""
    cross = swing(1.5 * phase)
    turn = -62 if style.lead == "right" else 62
    pose = Pose(
        _upright(build),
        facing=(0.6 * turn, -12.0, 0.0),
        spine=(0.4 * turn, -10.0, 0.0),
        head=(-0.8 * turn, 0.0, 0.0),
        arms=style.sides(Swing(flex=-24, spread=96, bend=4), Swing(flex=40, spread=70, bend=24)),
        legs=style.sides(Swing(flex=34 * cross, spread=8, bend=24), Swing(flex=-34 * cross, spread=8, bend=24)),
        heels=both(10.0),
    )
    return set_down(build, pose)


def throw(build: Build, style: Style, phase: float) -> Pose:
    """The arm comes over the shoulder and down ahead above a braced leg."""
    over = ramp(phase, (0.0, 0.0), (0.75, 1.0), (1.0, 1.0))
    sign = -1.0 if style.lead == "right" else 1.0
    pose = Pose(
        _upright(build),
        facing=(sign * mix(20, -18, over), mix(-14, 22, over), 0.0),
        spine=(sign * mix(24, -30, over), mix(-20, 34, over), 0.0),
        arms=style.sides(
            Swing(flex=mix(196, 50, over), spread=mix(34, 6, over), bend=mix(80, 6, over)),
            Swing(flex=mix(60, -30, over), spread=30, bend=60),
        ),
        legs=style.sides(
            Swing(flex=mix(-30, -8, over), bend=mix(34, 60, over)), Swing(flex=mix(40, 46, over), bend=10)
        ),
        heels=style.sides(34.0, -8.0),
    )
    return set_down(build, pose)


def recover(build: Build, style: Style, phase: float) -> Pose:
    """Balance on one bent leg after a throw, bent over, the other leg and both arms behind."""
    sway = swing(1.2 * phase)
    pose = Pose(
        _upright(build),
        facing=(6 * sway, 38.0, 0.0),
        spine=(10 * sway, 30.0, 0.0),
        head=(0.0, -34.0, 0.0),
        arms=both(Swing(flex=-34, spread=58 + 14 * sway, bend=14)),
        legs=style.sides(Swing(flex=-34 - 8 * sway, bend=52), Swing(flex=66, bend=40)),
        heels=style.sides(40.0, 0.0),
    )
    return set_down(build, pose)


def swing_around(build: Build, style: Style, phase: float) -> Pose:
    """Swing a hammer around the head with both arms, one circle a repetition."""
    side = 60 * swing(phase)
    pose = Pose(
        _upright(build),
        facing=(0.3 * side, 6.0, 0.0),
        spine=(0.7 * side, 8 * swing(phase + 0.25), 0.0),
        arms=both(Swing(flex=98 + 66 * swing(phase + 0.25), spread=-8, bend=10)),
        legs=both(Swing(flex=22, spread=20, bend=40)),
        heels=both(-18.0),
    )
    return set_down(build, pose)


def rotate(build: Build, style: Style, phase: float) -> Pose:
    """Turn about oneself with low hips, leaning against what the straight arms hold, one turn a repetition."""
    sign = 1.0 if style.lead == "left" else -1.0
    step = wave(2 * phase)
    pose = Pose(
        _upright(build),
        facing=(sign * 360 * phase, -8.0, 0.0),
        spine=(sign * -14, 4.0, 0.0),
        arms=both(Swing(flex=82, spread=-8, bend=2)),
        legs=style.sides(
            Swing(flex=42, spread=12, bend=66), Swing(flex=mix(42, 64, step), spread=12, bend=66 + 24 * step)
        ),
        heels=both(-16.0),
    )
    return set_down(build, pose)


def release(build: Build, style: Style, phase: float) -> Pose:
    """Both arms sling up and over the shoulder on stretched legs."""
    up = ramp(phase, (0.0, 0.0), (0.6, 1.0), (1.0, 1.0))
    sign = 1.0 if style.lead == "left" else -1.0
    pose = Pose(
        _upright(build),
        facing=(sign * mix(-40, 30, up), mix(16, -14, up), 0.0),
        spine=(sign * mix(-30, 30, up), mix(14, -22, up), 0.0),
        head=(0.0, -30 * up, 0.0),
        arms=both(Swing(flex=mix(40, 172, up), spread=mix(0, 10, up), bend=4)),
        legs=both(Swing(flex=mix(40, -4, up), spread=16, bend=mix(64, 0, up))),
        heels=both(mix(-20, 36, up)),
    )
    return set_down(build, pose)


def wind_up(build: Build, style: Style, phase: float) -> Pose:
    """Swing a discus back and forth at the end of one arm."""
    side = swing(phase)
    sign = 1.0 if style.lead == "left" else -1.0
    pose = Pose(
        _upright(build),
        facing=(sign * 30 * side, 8.0, 0.0),
        spine=(sign * 44 * side, 6.0, 0.0),
        arms=style.sides(Swing(flex=20, spread=82, bend=6), Swing(flex=58, spread=36, bend=70)),
        legs=both(Swing(flex=16 + 10 * side, spread=26, bend=34)),
        heels=both(-14.0),
    )
    return set_down(build, pose)


def glide(build: Build, style: Style, phase: float) -> Pose:
    """Slide across the circle in a low crouch, one hand at the neck, the free leg kicking behind."""
    kick = wave(2 * phase)
    pose = Pose(
        _upright(build),
        facing=(0.0, 58.0, 0.0),
        spine=(0.0, 18.0, 0.0),
        head=(0.0, -30.0, 0.0),
        arms=style.sides(Swing(flex=28, spread=64, bend=146), Swing(flex=64, spread=8, bend=6)),
        legs=style.sides(Swing(flex=112, bend=96), Swing(flex=mix(80, 0, kick), bend=mix(96, 20, kick))),
        heels=both(-12.0),
    )
    return set_down(build, pose)


def put(build: Build, style: Style, phase: float) -> Pose:
    """Rise and push one arm out from the neck."""
    out = ramp(phase, (0.0, 0.0), (0.65, 1.0), (1.0, 1.0))
    sign = -1.0 if style.lead == "right" else 1.0
    pose = Pose(
        _upright(build),
        facing=(sign * mix(40, -24, out), mix(10, 2, out), 0.0),
        spine=(sign * mix(30, -20, out), mix(10, -14, out), 0.0),
        head=(0.0, -20 * out, 0.0),
        arms=style.sides(
            Swing(flex=mix(30, 136, out), spread=mix(64, 10, out), bend=mix(146, 4, out)),
            Swing(flex=mix(80, -10, out), spread=20, bend=mix(20, 90, out)),
        ),
        legs=both(Swing(flex=mix(40, 2, out), spread=14, bend=mix(66, 4, out))),
        heels=both(mix(-18, 40, out)),
    )
    return set_down(build, pose)


def spring(build: Build, style: Style, phase: float) -> Pose:
    """Bend both knees, arms behind, then stretch off both feet, arms up."""
    down = ramp(phase, (0.0, 0.3), (0.4, 1.0), (0.9, 0.0), (1.0, 0.0))
    up = ramp(phase, (0.0, 0.0), (0.5, 0.0), (1.0, 1.0))
    pose = Pose(
        _upright(build),
        facing=(0.0, 26 * down, 0.0),
        arms=both(Swing(flex=mix(-40, 168, up), spread=10, bend=6)),
        legs=both(Swing(flex=70 * down, spread=4, bend=100 * down)),
        heels=both(mix(-30 * down, 60, up)),
    )
    return set_down(build, pose, 0.2 * up * float(np.clip(2 * phase - 1, 0, 1)))
