from __future__ import annotations

import pytest

from tpsparse.datasets.frame_list import read_frame_list
from tpsparse.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lunge/a.mp4,25\nlunge/b.mp4,30\n", {"a": 25, "b": 30}),
        ("video,frames\nlunge/a.mp4,25\n", {"a": 25}),
        ("25,a\n", {"a": 25}),
        ("a,lunge,25\n", {"a": 25}),
        ("0,a.mp4,25\n", {"a": 25}),  # the last number: a row may begin with its own
        ('"train_videos/lunge/a b.mp4", 25\n', {"a b": 25}),
        ("lunge\\a.avi,25\n", {"a": 25}),
        ("a,25\n\n,\nb,none\n", {"a": 25}),
        ("", {}),
    ],
    ids=["plain", "header", "count first", "action apart", "numbered", "quoted", "backslash", "blank rows", "empty"],
)
def test_rows(tmp_path, text, expected):
    path = tmp_path / "list.csv"
    path.write_text(text)
    assert read_frame_list(path) == expected


def test_absent_list(tmp_path):
    assert read_frame_list(tmp_path / "list.csv") == {}


def test_no_row_can_be_understood(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("one,two\nthree,four\n")
    with pytest.raises(InputError, match=r"list\.csv has no row .*: write <action>/<video>\.mp4,<count>"):
        read_frame_list(path)
