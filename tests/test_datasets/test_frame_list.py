from __future__ import annotations

import pytest

from tpsparse.datasets.frame_list import read_frame_list
from tpsparse.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lunge/a.mp4,25\nlunge/b.mp4,30\n", [("lunge", "a", 25), ("lunge", "b", 30)]),
        ("video,frames\nlunge/a.mp4,25\n", [("lunge", "a", 25)]),
        ("25,a\n", [("", "a", 25)]),
        ("a,lunge,25\n", [("lunge", "a", 25)]),
        ("0,a.mp4,25\n", [("", "a", 25)]),  # the last number: a row may begin with its own
        ('"train_videos/hurling_(sport)/a b.mp4", 25\n', [("hurling_(sport)", "a b", 25)]),
        ("lunge\\a.avi,25\n", [("lunge", "a", 25)]),
        ("\ufefflunge/größe.mp4,25\n", [("lunge", "größe", 25)]),
        ("a,25\n\n,\nb,none\n", [("", "a", 25)]),
        ("a,²\nb,99999999999\nc,7\n", [("", "c", 7)]),
        ("action,video,frames\nlunge,a,25\nlunge,v1.2,7\n", [("lunge", "a", 25), ("lunge", "v1.2", 7)]),
        ("lunge/a.mp4,train,25\nlunge/b.mp4,train,7\n", [("lunge", "a", 25), ("lunge", "b", 7)]),
        ("", []),
    ],
    ids=[
        "plain",
        "header",
        "count first",
        "action apart",
        "numbered",
        "quoted",
        "backslash",
        "mark",
        "blank",
        "no counts",
        "action first",
        "remark",
        "empty",
    ],
)
def test_rows(tmp_path, text, expected):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    assert read_frame_list(path).rows == expected


def test_absent_list(tmp_path):
    assert len(read_frame_list(tmp_path / "list.csv")) == 0


def test_no_row_can_be_understood(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("one,two\nthree,four\n")
    with pytest.raises(InputError, match=r"list\.csv has no row .*: write <action>/<video>\.mp4,<count>"):
        read_frame_list(path)


def test_not_csv(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("a" * 200_000 + ",1\n")
    with pytest.raises(InputError, match=r"list\.csv is not CSV .*: write <action>"):
        read_frame_list(path)


def test_found_by_place_or_by_name_alone(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("lunge/a.mp4,25\npush_up/a.mp4,30\nb,7\ntrain/c.mp4,9\n")
    listed = read_frame_list(path)
    assert listed.find("lunge", "a").num_frames == 25 and listed.find("push_up", "a").num_frames == 30
    assert listed.find("lunge", "b").num_frames == 7 and listed.find("lunge", "c").num_frames == 9
    assert listed.find("lunge", "d") is None
    assert listed.repeated() == ["a"]
