"""Colours (RGB) and the font. One hue a part group; left is the lighter, solid one, right the darker, dashed one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

from ..taxonomy import LEFT, RIGHT, Taxonomy

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
GREY: Colour = (176, 182, 190)
INK: Colour = (20, 22, 27)
ACCENT: Colour = (77, 208, 225)
OBJECT: Colour = (198, 255, 0)

# Told apart on skin, grass and gym floors alike; used again from the start by lists with more groups.
_GROUP_HUES: tuple[Colour, ...] = (
    (255, 202, 40),
    (186, 134, 255),
    (41, 165, 246),
    (255, 88, 144),
    (92, 206, 102),
    (255, 131, 48),
    (38, 198, 182),
    (214, 164, 120),
)


def part_colours(taxonomy: Taxonomy) -> list[Colour]:
    """One colour for each of the K parts."""
    colours: list[Colour] = [WHITE] * len(taxonomy.parts)
    for group, members in enumerate(taxonomy.part_groups.values()):
        hue = _GROUP_HUES[group % len(_GROUP_HUES)]
        for part in members:
            colours[part] = _shaded(hue, taxonomy.parts[part])
    return colours


def is_dashed(part: str) -> bool:
    """Whether a part's box is dashed: the right one of a pair."""
    return part.startswith(RIGHT)


def display_name(name: str) -> str:
    """A name of the lists as it is written on a picture: ``left_arm`` is ``L arm``."""
    if name.startswith(LEFT):
        name = "L " + name.removeprefix(LEFT)
    elif name.startswith(RIGHT):
        name = "R " + name.removeprefix(RIGHT)
    return name.replace("_", " ").strip()


@lru_cache(maxsize=16)
def load_font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib, at ``size`` pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def _shaded(hue: Colour, part: str) -> Colour:
    if part.startswith(LEFT):
        return _mixed(hue, WHITE, 0.35)
    if part.startswith(RIGHT):
        return _mixed(hue, INK, 0.12)
    return hue


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other))
    return red, green, blue
