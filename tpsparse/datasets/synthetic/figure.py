"""A person's looks, and drawing a skeleton as a solid, dressed figure.

Both sides of a person wear the same: only the body tells left from right. Radii and half axes are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import Painter
from .keypoints import EAR, EYE_OUT, EYE_UP, HEAD_HALF_AXES, NOSE, on_head
from .raster import Mark
from .skeleton import SIDES, Build, Skeleton
from .states import PARTS

Colour = tuple[int, int, int]

OWNERS_A_PERSON = len(PARTS) + 2  # the parts, the rest of the body, and one to spare
_REST = len(PARTS)

_SKINS = ((244, 208, 177), (230, 184, 148), (205, 150, 110), (160, 106, 70), (118, 76, 50), (92, 60, 44))
_HAIRS = ((38, 30, 28), (70, 46, 32), (112, 76, 44), (176, 128, 66), (150, 72, 38), (150, 148, 146))
_TOPS = (
    (204, 52, 48), (38, 92, 170), (236, 236, 232), (40, 42, 48), (52, 140, 84), (240, 172, 44), (122, 68, 150),
    (88, 170, 190), (226, 112, 140), (130, 136, 142), (222, 96, 40), (24, 58, 92),
)  # fmt: skip
_BOTTOMS = ((36, 38, 46), (52, 66, 100), (108, 112, 118), (134, 112, 84), (28, 60, 70), (96, 36, 44), (190, 190, 186))
_SHOES = ((240, 240, 238), (40, 40, 42), (206, 60, 48), (60, 120, 190), (240, 190, 60))
_INKS = ("skin", "hair", "eye", "lip", "top", "trim", "bottom", "shoe", "sock", "glove")


@dataclass(frozen=True)
class Outfit:
    """Colours and cuts of one person.

    Args:
        colours: Ink name to RGB.
        sleeve: Length of the sleeves in upper arms: 0 none, 2 to the wrist.
        trouser: Length of the trousers in thighs: 0 shorts' hem at the hip, 2 to the ankle.
        loose: Metres by which cloth stands off the limb.
        pattern: ``plain``, ``stripes``, ``emblem`` or ``band`` on the top.
        hair: ``short``, ``long``, ``bun`` or ``cap``.
        midriff: Whether the belly is bare.
        gloves: Whether the hands are gloved.
    """

    colours: dict[str, Colour]
    sleeve: float
    trouser: float
    loose: float
    pattern: str
    hair: str
    midriff: bool = False
    gloves: bool = False

    def palette(self) -> np.ndarray:
        """(inks, 3) colours in the order of the ink numbers."""
        return np.array([self.colours[name] for name in _INKS], dtype=np.uint8)


INKS_A_PERSON = len(_INKS)


def draw_build(rng: np.random.Generator) -> Build:
    """A random body."""
    tall = rng.uniform(0.9, 1.06)
    limb = {name: getattr(Build, name) * tall * rng.uniform(0.96, 1.04) for name in ("thigh", "shin", "chest")}
    arm = tall * rng.uniform(0.97, 1.05)
    return Build(
        **limb,
        upper_arm=Build.upper_arm * arm,
        forearm=Build.forearm * arm,
        shoulder=Build.shoulder * tall * rng.uniform(0.92, 1.1),
        hip=Build.hip * rng.uniform(0.95, 1.1),
        head=Build.head * rng.uniform(0.95, 1.05),
        girth=rng.uniform(0.88, 1.22),
    )


def draw_outfit(rng: np.random.Generator, action: str) -> Outfit:
    """Random looks; a boxer is gloved, a belly dancer shows the belly."""

    def pick(colours: tuple) -> Colour:
        tint = rng.uniform(0.9, 1.06)
        red, green, blue = (int(min(255, channel * tint)) for channel in colours[rng.integers(len(colours))])
        return red, green, blue

    top = pick(_TOPS)
    skin = pick(_SKINS)
    colours: dict[str, Colour] = {
        "skin": skin,
        "hair": pick(tuple(colour for colour in _HAIRS if sum(skin) - sum(colour) > 120) or _HAIRS[:1]),
        "eye": (30, 26, 26),
        "lip": (int(skin[0] * 0.86), int(skin[1] * 0.62), int(skin[2] * 0.6)),
        "top": top,
        "trim": pick(tuple(colour for colour in _TOPS if sum(abs(a - b) for a, b in zip(colour, top)) > 150)),
        "bottom": pick(_BOTTOMS),
        "shoe": pick(_SHOES),
        "sock": (232, 232, 230),
        "glove": pick(((190, 36, 36), (30, 60, 150), (30, 30, 32))),
    }
    return Outfit(
        colours=colours,
        sleeve=float(rng.choice([0.0, 0.45, 0.6, 1.2, 1.9])),
        trouser=float(rng.choice([0.45, 0.8, 1.5, 2.0, 2.0])),
        loose=float(rng.uniform(0.006, 0.018)),
        pattern=str(rng.choice(["plain", "stripes", "emblem", "band"])),
        hair=str(rng.choice(["short", "short", "long", "bun", "cap"])),
        midriff=action == "belly_dancing",
        gloves=action == "punching_bag",
    )


@dataclass(frozen=True)
class Dresser:
    """Turns part and ink names into marks for person number ``person`` (from 0)."""

    person: int

    def mark(self, part: str | None, ink: str) -> Mark:
        """The mark of a part (None: the rest of the body) in an ink."""
        index = _REST if part is None else PARTS.index(part)
        return Mark(
            owner=1 + self.person * OWNERS_A_PERSON + index,
            ink=self.ink(ink),
            cover=1 << index,
        )

    def ink(self, name: str) -> int:
        """Row of the palette."""
        return self.person * INKS_A_PERSON + _INKS.index(name)


def draw_figure(painter: Painter, skeleton: Skeleton, build: Build, outfit: Outfit, dresser: Dresser) -> None:
    """Draw a whole person."""
    _draw_trunk(painter, skeleton, build, outfit, dresser)
    _draw_head(painter, skeleton, build, outfit, dresser)
    for side in SIDES:
        _draw_arm(painter, skeleton, build, outfit, dresser, side)
        _draw_leg(painter, skeleton, build, outfit, dresser, side)


def _draw_trunk(painter: Painter, skeleton: Skeleton, build: Build, outfit: Outfit, dresser: Dresser) -> None:
    points, girth = skeleton.points, build.girth
    top, trim = dresser.ink("top"), dresser.ink("trim")

    def cloth(left: np.ndarray, up: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        if outfit.pattern == "stripes":
            return np.where(np.floor(up * 4) % 2 == 0, top, trim)
        if outfit.pattern == "band":
            return np.where(np.abs(up - 0.1) < 0.22, trim, top)
        if outfit.pattern == "emblem":
            return np.where((np.abs(left) < 0.4) & (np.abs(up - 0.1) < 0.3) & (ahead > 0), trim, top)
        return np.full(np.broadcast(left, up, ahead).shape, top)

    chest_axes = skeleton.chest * np.array([build.shoulder * 0.92 * (0.4 + 0.6 * girth), 0.25, 0.115 * girth])
    chest = points["waist"] + skeleton.chest[:, 1] * build.chest * 0.55
    painter.ellipsoid(chest, chest_axes, dresser.mark(None, "top"), cloth)
    yoke = [points[f"{side}_shoulder"] * 0.82 + points["neck"] * 0.18 for side in SIDES]
    painter.cone(yoke[0], yoke[1], (0.062 * girth, 0.062 * girth), dresser.mark(None, "top"))
    belly = points["waist"] + skeleton.chest[:, 1] * 0.065
    belly_axes = skeleton.chest * np.array([0.138 * girth, 0.15, 0.105 * girth])
    painter.ellipsoid(belly, belly_axes, dresser.mark(None, "skin" if outfit.midriff else "top"))
    nape = points["neck"] - skeleton.chest[:, 1] * 0.03
    painter.cone(nape, points["head"], (0.054, 0.05), dresser.mark(None, "skin"))
    pelvis_axes = skeleton.pelvis * np.array([(build.hip + 0.078) * girth, 0.128, 0.132 * girth])
    painter.ellipsoid(points["pelvis"] + skeleton.pelvis[:, 1] * 0.02, pelvis_axes, dresser.mark("hip", "bottom"))


def _draw_head(painter: Painter, skeleton: Skeleton, build: Build, outfit: Outfit, dresser: Dresser) -> None:
    centre, axes = skeleton.points["head"], skeleton.head
    half = HEAD_HALF_AXES * build.head
    skin, hair, eye, lip = (dresser.ink(name) for name in ("skin", "hair", "eye", "lip"))
    cap = outfit.hair == "cap"
    cover = dresser.ink("trim") if cap else hair

    def face(left: np.ndarray, up: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        ink = np.full(np.broadcast(left, up, ahead).shape, skin)
        front = ahead > 0
        eyes = front & (np.abs(np.abs(left) - EYE_OUT) < 0.13) & (np.abs(up - EYE_UP) < 0.1)
        mouth = front & (np.abs(left) < 0.26) & (np.abs(up + 0.5) < 0.07)
        brows = front & (np.abs(np.abs(left) - EYE_OUT) < 0.2) & (np.abs(up - 0.25) < 0.055)
        ink[mouth] = lip
        ink[eyes] = eye
        ink[brows] = hair
        ink[(up - 0.75 * ahead) > (0.1 if cap else 0.02)] = hair
        ink[up > (0.3 if cap else 0.58) + 0.25 * ahead * (not cap)] = cover
        return ink

    mark = dresser.mark("head", "skin")
    painter.ellipsoid(centre, axes * half, mark, face)
    painter.ellipsoid(on_head(skeleton, build, NOSE), axes * build.head * np.array([0.13, 0.2, 0.17]), mark)
    for sign in SIDES.values():
        painter.ellipsoid(on_head(skeleton, build, EAR, sign), axes * build.head * np.array([0.1, 0.22, 0.15]), mark)
    if outfit.hair == "long":
        fall = centre + axes @ (half * np.array([0.0, -0.5, -0.62]))
        painter.ellipsoid(fall, axes * build.head * np.array([0.78, 1.15, 0.42]), dresser.mark("head", "hair"))
    elif outfit.hair == "bun":
        knot = centre + axes @ (half * np.array([0.0, 0.72, -0.85]))
        painter.ball(knot, 0.4 * build.head, dresser.mark("head", "hair"))
    elif cap:
        peak = centre + axes @ (half * np.array([0.0, 0.42, 1.0]))
        painter.ellipsoid(peak, axes * build.head * np.array([0.6, 0.09, 0.55]), dresser.mark("head", "trim"))


def _draw_arm(painter: Painter, skeleton: Skeleton, build: Build, outfit: Outfit, dresser: Dresser, side: str) -> None:
    shoulder, elbow, wrist, fingers = (
        skeleton.points[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist", "fingers")
    )
    girth, part = build.girth, f"{side}_arm"
    painter.cone(shoulder, elbow, (0.056 * girth, 0.043 * girth), dresser.mark(part, "skin"))
    painter.cone(elbow, wrist, (0.043 * girth, 0.031 * girth), dresser.mark(part, "skin"))
    painter.ball(shoulder, 0.06 * girth, dresser.mark(part, "top" if outfit.sleeve else "skin"))
    radii = (0.058 * girth + outfit.loose, 0.046 * girth + outfit.loose, 0.034 * girth + outfit.loose)
    _draw_cloth(painter, [shoulder, elbow, wrist], radii, outfit.sleeve, dresser.mark(part, "top"))
    hand = dresser.mark(f"{side}_hand", "glove" if outfit.gloves else "skin")
    if outfit.gloves:
        painter.cone(wrist, (wrist + fingers) / 2, (0.05, 0.075), hand)
        return
    painter.cone(wrist * 0.85 + fingers * 0.15, wrist * 0.4 + fingers * 0.6, (0.04, 0.045), hand)
    painter.cone(wrist * 0.4 + fingers * 0.6, fingers, (0.043, 0.03), hand)
    inward = skeleton.chest[:, 2] * 0.5 - skeleton.chest[:, 0] * SIDES[side] * 0.5
    thumb = wrist * 0.5 + fingers * 0.5 + inward * 0.075
    painter.cone(wrist * 0.8 + fingers * 0.2, thumb, (0.03, 0.02), hand)


def _draw_leg(painter: Painter, skeleton: Skeleton, build: Build, outfit: Outfit, dresser: Dresser, side: str) -> None:
    hip, knee, ankle, heel, toe = (
        skeleton.points[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle", "heel", "toe")
    )
    girth, part = build.girth, f"{side}_leg"
    thigh = hip * 0.85 + knee * 0.15  # the hip's own roundness covers the rest
    painter.cone(thigh, knee, (0.082 * girth, 0.058 * girth), dresser.mark(part, "skin"))
    painter.cone(knee, ankle, (0.058 * girth, 0.04 * girth), dresser.mark(part, "skin"))
    calf = knee * 0.66 + ankle * 0.34
    painter.cone(calf, knee * 0.4 + ankle * 0.6, (0.06 * girth, 0.045 * girth), dresser.mark(part, "skin"))
    if outfit.trouser < 2:
        painter.cone(knee * 0.3 + ankle * 0.7, ankle, (0.045 * girth, 0.045 * girth), dresser.mark(part, "sock"))
    radii = (0.083 * girth + outfit.loose, 0.064 * girth + outfit.loose, 0.05 * girth + outfit.loose)
    _draw_cloth(painter, [thigh, knee, ankle], radii, outfit.trouser, dresser.mark(part, "bottom"))
    foot = dresser.mark(f"{side}_foot", "shoe")
    up = _lifted(ankle, heel, toe)
    ball = heel + (toe - heel) * 0.72
    painter.cone(heel + up * 0.045, ball + up * 0.042, (0.047, 0.05), foot)
    painter.cone(ball + up * 0.042, toe + up * 0.036, (0.05, 0.036), foot)
    painter.cone(heel + up * 0.06, ankle, (0.046, 0.046 * girth), foot)


def _lifted(ankle: np.ndarray, heel: np.ndarray, toe: np.ndarray) -> np.ndarray:
    """(3,) unit direction from the sole into the foot."""
    along = (toe - heel) / np.linalg.norm(toe - heel)
    up = ankle - heel
    up = up - along * (up @ along)
    return up / np.linalg.norm(up)


def _draw_cloth(
    painter: Painter, joints: list[np.ndarray], radii: tuple[float, float, float], length: float, mark: Mark
) -> None:
    """Cloth over a two-segment limb from its root; ``length`` counts segments."""
    for i in range(2):
        share = min(max(length - i, 0.0), 1.0)
        if share > 0:
            end = joints[i] + (joints[i + 1] - joints[i]) * share
            painter.cone(joints[i], end, (radii[i], radii[i] + (radii[i + 1] - radii[i]) * share), mark)
