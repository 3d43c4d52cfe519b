from __future__ import annotations

import pytest

from tpsparse.datasets.instances import parse_name
from tpsparse.errors import InputError


@pytest.mark.parametrize(
    ("name", "shot", "start", "end"),
    [
        ("s00004_0_100_7_931", "s00004", 0.1, 7.931),
        ("s00004_5_112_12_5", "s00004", 5.112, 12.5),  # the fraction is text: .5, not 5 ms
        ("s1_5_012_5_12", "s1", 5.012, 5.12),
        ("s00001_0_0_418_000", "s00001", 0.0, 418.0),
        ("s00002_8_000_3_500", "s00002", 8.0, 3.5),  # told by the checks, not here
    ],
)
def test_seconds_and_the_text_of_their_fraction(name, shot, start, end):
    found = parse_name(name)
    assert (found.shot, found.start, found.end) == (shot, start, end)
    assert found.duration == pytest.approx(end - start)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "s00004",
        "s00004_0_100_7",
        "s00004_0_100_7_931_",
        "00004_0_100_7_931",
        "s00004_0_-1_7_931",
        "s00004_0_1.0_7_9",
    ]
    + ["s00004_0_100_7_931.mp4", "s00004_٣_100_7_931", "s00004_0_100_7_931\n", "s00004_" + "9" * 400 + "_0_1_0"],
)
def test_other_forms(name):
    with pytest.raises(InputError, match="is no name of an instance: name it s<shot>_<start s>"):
        parse_name(name)
