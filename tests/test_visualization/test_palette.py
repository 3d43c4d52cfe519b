from __future__ import annotations

import pytest

from tpsparse.taxonomy import Taxonomy
from tpsparse.visualization.palette import display_name, is_dashed, load_font, part_colours

OFFICIAL = (
    "head",
    "hip",
    "left_arm",
    "right_arm",
    "left_hand",
    "right_hand",
    "left_leg",
    "right_leg",
    "left_foot",
    "right_foot",
)


def taxonomy(parts) -> Taxonomy:
    return Taxonomy(parts=parts, states=("none",), actions=("a",))


def test_every_official_part_has_its_own_colour():
    colours = part_colours(taxonomy(OFFICIAL))
    assert len(set(colours)) == 10
    assert all(0 <= channel <= 255 for colour in colours for channel in colour)


def test_left_is_lighter_than_right():
    colours = dict(zip(OFFICIAL, part_colours(taxonomy(OFFICIAL))))
    for part in ("arm", "hand", "leg", "foot"):
        assert sum(colours[f"left_{part}"]) > sum(colours[f"right_{part}"])


def test_more_groups_than_hues():
    assert len(part_colours(taxonomy(tuple(f"part_{i}" for i in range(30))))) == 30


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("left_arm", "L arm"),
        ("right_foot", "R foot"),
        ("head", "head"),
        ("step_on", "step on"),
        ("hurling_(sport)", "hurling (sport)"),
    ],
)
def test_names_as_written(name, shown):
    assert display_name(name) == shown


def test_only_right_parts_are_dashed():
    assert [is_dashed(part) for part in ("head", "left_arm", "right_arm")] == [False, False, True]


def test_font_scales():
    assert load_font(24).getlength("state") > 1.5 * load_font(12).getlength("state")
