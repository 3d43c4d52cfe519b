from __future__ import annotations

import pytest

from tpsparse.errors import InputError
from tpsparse.parsing.base import Stage, check_row


def make(name: str, needs=(), gives=(), **methods):
    return type(name, (Stage,), dict(needs=needs, gives=gives, **methods))()


PERSONS = make("FindPersons", gives=["boxes", "feature:context"])
PARTS = make("FindParts", needs=["boxes"], gives=["part_boxes"])
FUSION = make("Fuse", needs=["feature:context", "part_boxes"], gives=["action"])


@pytest.mark.parametrize("row", [[], [PERSONS], [PERSONS, PARTS], [PERSONS, PARTS, FUSION]])
def test_rows_that_fit(row):
    check_row(row)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ([PARTS], "stage FindParts needs boxes, but the stages before it give nothing: add or move one"),
        ([PARTS, PERSONS], "stage FindParts needs boxes, but the stages before it give nothing"),
        ([PERSONS, FUSION], "stage Fuse needs part_boxes, but the stages before it give boxes, feature:context"),
        ([make("Own", ["x"], ["x"])], "stage Own needs x"),
    ],
    ids=["first", "order", "between", "its own"],
)
def test_rows_that_do_not(row, told):
    with pytest.raises(InputError, match=told):
        check_row(row)


def test_who_sees_frames():
    assert not PERSONS.sees_frames
    assert make("Sees", parse_frames=lambda self, images, frames: None).sees_frames


def test_nothing_is_wanted_or_done_by_default():
    assert PERSONS.frame_numbers(9) == [] and PERSONS.parse_video(None, None) is None
