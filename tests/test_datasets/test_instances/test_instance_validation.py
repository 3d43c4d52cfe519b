from __future__ import annotations

import csv
import json

import pytest
import tiny
import tiny_tapos

from tpsparse.datasets.instances.checks import KINDS
from tpsparse.datasets.instances.validation import COLUMNS, check_instances
from tpsparse.errors import InputError

NAME, OTHER, THIRD = "s00001_0_0_0_8", "s00001_2_0_2_8", "s00001_4_0_4_8"
SOUND = dict(subset="train", shot_timestamps=None, total_frames=8, substages=[0, 5, 8])


def write(root, content):
    root.mkdir(parents=True, exist_ok=True)
    (root / "tapos_annotation.json").write_text(json.dumps(content))
    return root


def check(root, **options):
    return check_instances(root, workers=1, progress=False, **options)


def rows(root):
    with (root / "problems_tapos.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nothing_is_wrong_but_that_there_is_no_video(tmp_path):
    root = tiny_tapos.write_instances(tmp_path / "a (b) ü")
    found = check(root)
    assert [fault.kind for fault in found.faults] == ["missing-video"] and found.num_errors == 0  # told once
    assert f"{root}: 9 usable instances of 9 videos, " in found.text() and "(train 6, val 3)" in found.text()


def test_list_of_problems(tmp_path):
    bad = {**SOUND, "substages": [0, 9, 3, 3, 8]}
    write(tmp_path, {"v é": {NAME: SOUND, OTHER: bad}, "w": {NAME: {**SOUND, "substages": [0, 8]}, "jump, \n": SOUND}})
    found = check(tmp_path)
    assert found.num_errors == 3 and found.counts["no-boundary"] == 1
    assert found.write() == tmp_path / "problems_tapos.csv"
    listed = rows(tmp_path)
    assert tuple(listed[0]) == COLUMNS
    assert [(row["severity"], row["kind"], row["video"], row["instance"]) for row in listed] == [
        ("error", "beyond-end", "v é", OTHER),
        ("error", "duplicate-boundary", "v é", OTHER),
        ("warning", "no-boundary", "w", NAME),
        ("error", "unreadable-name", "w", "jump, \n"),
        ("warning", "missing-video", "", ""),
    ]
    assert listed[0]["file"] == "tapos_annotation.json" and listed[0]["subset"] == "train"
    assert all(row["remedy"] == KINDS[row["kind"]].remedy for row in listed)
    text = found.text()
    assert text.index("errors, what they name") < text.index("unreadable-name") < text.index("warnings:")
    assert text.index("warnings:") < text.index("no-boundary") and text.endswith("problems_tapos.csv")


def test_no_problems_replace_those_of_before(tmp_path):
    (write(tmp_path, {"v": {NAME: {**SOUND, "total_frames": 0}}}) / "videos").mkdir()
    (tmp_path / "videos" / "v.mkv").touch()
    check(tmp_path).write()
    assert [row["kind"] for row in rows(tmp_path)] == ["no-frames"]
    write(tmp_path, {"v": {NAME: SOUND}})
    found = check(tmp_path)
    found.write()
    assert rows(tmp_path) == [] and found.text().endswith("no problems found")


def test_a_subset(tmp_path):
    broken = {**SOUND, "substages": []}
    write(tmp_path, {"v": {NAME: SOUND, OTHER: broken}, "w": {NAME: {**broken, "subset": "val"}}})
    found = check(tmp_path, subset="train")
    assert len(found.instances) == 1 and found.counts == {"bad-ends": 1, "missing-video": 1}
    assert check(tmp_path, subset="val").counts["bad-ends"] == 1  # though it has no usable instance
    with pytest.raises(InputError, match="has no instance of subset test: put the whole annotation there"):
        check(tmp_path, subset="test")
    with pytest.raises(InputError, match="has no instance: put the whole annotation there"):
        check(write(tmp_path / "empty", {}))


class TestVideos:
    @pytest.fixture
    def root(self, tmp_path):
        """Of v one instance is cut, of w none; x has no video."""
        write(tmp_path, {"v (1) é": {NAME: SOUND, OTHER: SOUND}, "w": {NAME: SOUND}, "x": {NAME: SOUND}})
        tiny.encode(tmp_path / "instances" / "v (1) é" / f"{NAME}.mp4", [tiny.draw_frame("lunge", 1)] * 8)
        (tmp_path / "videos").mkdir()
        (tmp_path / "videos" / "w.webm").touch()
        return tmp_path

    def test_missing_is_a_warning_until_videos_are_checked(self, root):
        quick = check(root)
        assert [(fault.kind, fault.key) for fault in quick.faults] == [
            ("missing-video", f"v (1) é/{OTHER}"),
            ("missing-video", f"x/{NAME}"),
        ]
        strict = check(root, check_videos=True)
        assert [(fault.kind, fault.key) for fault in strict.faults] == [
            ("no-video", f"v (1) é/{OTHER}"),
            ("not-cut", f"w/{NAME}"),
            ("no-video", f"x/{NAME}"),
        ]
        assert (quick.num_errors, strict.num_errors) == (0, 2)

    @pytest.mark.parametrize("length", [7, 9])
    def test_another_number_of_frames(self, root, length):
        tiny.encode(root / "instances" / "x" / f"{NAME}.mp4", [tiny.draw_frame("lunge", 1)] * length)
        faults = {fault.key: fault for fault in check(root, check_videos=True).faults}
        assert faults[f"x/{NAME}"].kind == "other-length"
        assert faults[f"x/{NAME}"].message == f"has {length} frames, 8 are annotated"
        assert "other-length" not in check(root).counts  # not looked at

    @pytest.mark.parametrize(("content", "told"), [(b"", "is empty"), (b"no video", "is not a video that can be read")])
    def test_broken(self, root, content, told):
        (root / "instances" / "w").mkdir()
        path = root / "instances" / "w" / f"{NAME}.mp4"
        path.write_bytes(content)
        faults = {fault.key: fault for fault in check(root, check_videos=True).faults}
        assert (faults[f"w/{NAME}"].kind, faults[f"w/{NAME}"].message) == ("unreadable-video", told)
        assert faults[f"w/{NAME}"].file == path

    def test_no_folder_of_videos_at_all(self, tmp_path):
        write(tmp_path, {"v": {NAME: SOUND, OTHER: SOUND}})
        assert check(tmp_path).counts == {"missing-video": 1}
        assert check(tmp_path, check_videos=True).counts == {"no-video": 2}
