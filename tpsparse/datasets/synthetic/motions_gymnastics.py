"""Sub-actions of gymnastics and diving, one function each, as those of ``motions_athletics``."""

from __future__ import annotations

from .motions_athletics import airborne, ramp, set_down
from .posing import Style, both, mix, swing, wave
from .skeleton import Build, Pose, Swing

_OVERHEAD = Swing(flex=176, spread=6)


def _upright(build: Build) -> tuple[float, float, float]:
    return (0.0, build.stand, 0.0)


def steps(build: Build, style: Style, phase: float) -> Pose:
    """Walk on the spot with stretched feet and open arms, two steps a repetition."""

    def leg(beat: float) -> Swing:
        lifted = max(0.0, swing(beat))
        return Swing(flex=4 + 36 * lifted, bend=52 * lifted)

    open_arms = Swing(flex=6 + 6 * swing(phase), spread=mix(70, 90, style.extent), bend=6)
    pose = Pose(
        _upright(build),
        arms=both(open_arms),
        legs=style.sides(leg(phase), leg(phase + 0.5)),
        heels=both(24.0),
    )
    return set_down(build, pose)


def balance(build: Build, style: Style, phase: float) -> Pose:
    """Stand on one leg, the trunk level, the other leg stretched behind."""
    deep = ramp(phase, (0.0, 0.4), (0.4, 1.0), (1.0, 1.0))
    pose = Pose(
        _upright(build),
        facing=(0.0, 62 * deep, 0.0),
        spine=(0.0, -8 * deep, 0.0),
        head=(0.0, -30 * deep, 0.0),
        arms=both(Swing(flex=mix(10, 40, deep), spread=88, bend=4)),
        legs=style.sides(Swing(flex=62 * deep), Swing(flex=-40 * deep, bend=4)),
        heels=style.sides(0.0, 50.0),
    )
    return set_down(build, pose)


def leap(build: Build, style: Style, phase: float) -> Pose:
    """Fly with the legs split, straight, arms aside."""
    split = ramp(phase, (0.0, 0.4), (0.45, 1.0), (1.0, 0.5))
    pose = Pose(
        _upright(build),
        spine=(0.0, -8 * split, 0.0),
        arms=style.sides(Swing(flex=20, spread=92, bend=4), Swing(flex=90 * split, spread=50, bend=4)),
        legs=style.sides(Swing(flex=-72 * split, bend=4), Swing(flex=84 * split, bend=2)),
        heels=both(50.0),
    )
    return set_down(build, pose, 0.1 + 0.25 * airborne(phase))


def pirouette(build: Build, style: Style, phase: float) -> Pose:
    """Turn on the toes of one leg, the other foot at the knee, arms rounded overhead."""
    sign = 1.0 if style.lead == "left" else -1.0
    pose = Pose(
        _upright(build),
        facing=(sign * 400 * phase, 0.0, 0.0),
        arms=both(Swing(flex=150, spread=26, bend=62)),
        legs=style.sides(Swing(), Swing(flex=62, spread=30, bend=112)),
        heels=style.sides(48.0, 40.0),
    )
    return set_down(build, pose)


def handstand(build: Build, style: Style, phase: float) -> Pose:
    """Stand on the hands; the legs close and sway a little."""
    close = ramp(phase, (0.0, 0.0), (0.4, 1.0), (1.0, 1.0))
    sway = 4 * swing(2 * phase)
    pose = Pose(
        _upright(build),
        facing=(0.0, 180 + sway, 0.0),
        head=(0.0, -24.0, 0.0),
        arms=both(_OVERHEAD),
        legs=style.sides(Swing(flex=mix(-36, 0, close)), Swing(flex=mix(40, 0, close))),
        heels=both(50.0),
    )
    return set_down(build, pose)


def handspring(build: Build, style: Style, phase: float) -> Pose:
    """Pass over stretched arms from the feet to the feet, the body straight."""
    share = min(max(phase, 0.0), 1.0)
    arched = wave(share)
    pose = Pose(
        _upright(build),
        facing=(0.0, mix(64, 318, share), 0.0),
        spine=(0.0, -14 * arched, 0.0),
        arms=both(_OVERHEAD),
        legs=both(Swing(flex=mix(20, -12, arched), bend=10)),
        heels=both(46.0),
    )
    return set_down(build, pose, 0.16 * arched)


def cartwheel(build: Build, style: Style, phase: float) -> Pose:
    """Roll sideways over the hands, arms and legs stretched wide."""
    sign = 1.0 if style.lead == "left" else -1.0
    share = min(max(phase, 0.0), 1.0)
    pose = Pose(
        _upright(build),
        facing=(0.0, 0.0, sign * 360 * share),
        arms=both(Swing(spread=150)),
        legs=both(Swing(spread=mix(30, 46, wave(share)))),
        heels=both(40.0),
    )
    return set_down(build, pose)


def somersault(build: Build, style: Style, phase: float) -> Pose:
    """Turn over once in the air, tucked."""
    share = min(max(phase, 0.0), 1.0)
    tuck = ramp(share, (0.0, 0.55), (0.3, 1.0), (0.75, 1.0), (1.0, 0.6))
    pose = Pose(
        _upright(build),
        facing=(0.0, 360 * share, 0.0),
        spine=(0.0, 40 * tuck, 0.0),
        head=(0.0, 20 * tuck, 0.0),
        arms=both(Swing(flex=mix(140, 66, tuck), spread=8, bend=mix(10, 70, tuck))),
        legs=both(Swing(flex=128 * tuck, spread=8, bend=134 * tuck)),
        heels=both(36.0),
    )
    return set_down(build, pose, 0.2 + 0.35 * airborne(share))


def pike(build: Build, style: Style, phase: float) -> Pose:
    """Turn over backward in the air, folded at the hips over straight legs."""
    share = min(max(phase, 0.0), 1.0)
    pose = Pose(
        _upright(build),
        facing=(0.0, -270 * share, 0.0),
        spine=(0.0, 36.0, 0.0),
        arms=both(Swing(flex=84, spread=10, bend=4)),
        legs=both(Swing(flex=118, bend=2)),
        heels=both(54.0),
    )
    return set_down(build, pose, 0.3 + 0.25 * airborne(share))


def entry(build: Build, style: Style, phase: float) -> Pose:
    """Fall head first, stretched from fingers to toes."""
    share = min(max(phase, 0.0), 1.0)
    pose = Pose(
        _upright(build),
        facing=(0.0, mix(160, 182, share), 0.0),
        arms=both(_OVERHEAD),
        legs=both(Swing()),
        heels=both(60.0),
    )
    return set_down(build, pose, 0.3 * (1 - share) ** 2)
