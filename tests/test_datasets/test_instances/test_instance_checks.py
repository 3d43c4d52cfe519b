"""Checks of one instance's numbers, each at its threshold."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import REPOSITORY

from tpsparse.datasets.instances.checks import KINDS, Fault, instance_warnings, substage_faults


@pytest.mark.parametrize("substages", [[0, 10], [0, 1, 10], [0, 9, 10], [0, 1, 2, 3, 10]])
def test_sound(substages):
    assert substage_faults(substages, 10) == []


@pytest.mark.parametrize(
    ("substages", "total", "kinds"),
    [
        ([0, 10], 0, ["no-frames"]),
        ([0, -3], -3, ["no-frames"]),
        ([], 10, ["bad-ends"]),
        ([0], 10, ["bad-ends"]),
        ([10], 10, ["bad-ends"]),
        ([1, 5, 10], 10, ["bad-ends"]),
        ([0, 5, 9], 10, ["bad-ends"]),
        ([0, 5, 11], 10, ["bad-ends"]),
        ([0, 11, 10], 10, ["beyond-end"]),
        ([0, 10, 10], 10, ["duplicate-boundary"]),
        ([0, 0, 10], 10, ["duplicate-boundary"]),
        ([0, 4, 4, 10], 10, ["duplicate-boundary"]),
        ([0, 6, 4, 10], 10, ["out-of-order"]),
        ([0, -1, 10], 10, ["out-of-order"]),
        ([0, 6, 6, 4, 12, 10], 10, ["beyond-end", "duplicate-boundary", "out-of-order"]),
    ],
)
def test_unusable(substages, total, kinds):
    assert [kind for kind, _ in substage_faults(substages, total)] == kinds


def test_messages_name_the_place():
    assert substage_faults([0, 6, 4, 10], 10)[0][1] == "has 4 after 6 in substages"
    assert substage_faults([0, 5, 9], 10)[0][1] == "has substages from 0 to 9, not from 0 to 10"
    assert substage_faults([0, 250, 195], 195)[0][1] == "has a boundary at 250 of 195 frames"


@pytest.mark.parametrize(
    ("frames", "boundaries", "fps", "kinds"),
    [
        (2, 1, 25.0, []),
        (1, 0, 25.0, ["one-frame"]),
        (2, 0, None, ["no-boundary"]),
        (9, 1, 5.0, []),
        (9, 1, 4.99, ["odd-fps"]),
        (9, 1, 125.0, []),
        (9, 0, 125.1, ["no-boundary", "odd-fps"]),
    ],
)
def test_odd(frames, boundaries, fps, kinds):
    assert [kind for kind, _ in instance_warnings(frames, boundaries, fps)] == kinds


def test_a_fault_as_a_problem_names_instance_and_remedy():
    fault = Fault("bad-ends", "val", "añ b", "s1_0_0_1_0", Path("a b.json"), "has substages of nothing")
    told = "has substages of nothing: let substages begin with 0 and end with total_frames"
    assert str(fault.problem()) == f"a b.json: añ b/s1_0_0_1_0 {told} (skipped: instance)"


def test_every_kind_is_in_the_documentation():
    text = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8").partition("## TAPOS")[2]
    for name, kind in KINDS.items():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{name}` | {kind.severity} |")), None)
        assert row is not None and kind.remedy in row, name
