"""Members as they are written, and what cannot be one."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tpsparse.ensemble import Member, Videos, read_members
from tpsparse.errors import InputError
from tpsparse.structures import VideoParse

SCORES = dict(action=[0.5, 0.5, 0], swin=[0.1, 0.2, 0.7])


@pytest.fixture
def folder(save_records):
    records = [
        VideoParse("a", action_scores={name: np.array(values) for name, values in SCORES.items()}),
        VideoParse("b", error="cut short"),
        VideoParse("c", action_scores={"swin": np.array([1.0, 0, 0])}),
    ]
    return save_records("run (1) ü", records)


def test_folder_and_source(folder):
    assert Member.read(str(folder)) == Member(folder, "action")
    assert Member.read(str(folder), "swin") == Member(folder, "swin")
    member = Member.read(f"{folder}:swin", "action")
    assert member == Member(folder, "swin") and str(member) == f"{folder}:swin"
    assert list(member.files) == ["a", "b", "c"]


def test_a_folder_may_have_a_colon_in_its_name(save_records):
    folder = save_records("12:30", [VideoParse("a")])
    assert Member.read(str(folder)).folder == folder and Member.read(f"{folder}:swin").folder == folder


def test_half_written_records_are_none(folder):
    (folder / ".d.1-2.partial.safetensors").write_bytes(b"")
    assert list(Member(folder).files) == ["a", "b", "c"]


def test_scores(folder):
    member = Member(folder, "action")
    assert member.scores(member.load("a"), 3).tolist() == [0.5, 0.5, 0]
    assert [member.scores(member.load(name), 3) for name in ("b", "c", "nowhere")] == [None] * 3
    assert "is missing: parse the video again" in member.load("nowhere").error


def test_probabilities_may_be_rounded(save_records):
    scores = {"action": np.array([0.5, 0.4991, 0])}
    member = Member(save_records("run", [VideoParse("a", action_scores=scores)]))
    assert member.scores(member.load("a"), 3) is not None


def test_a_broken_record_is_a_failed_video(folder):
    (folder / "a.safetensors").write_bytes(b"not one")
    assert "a.safetensors cannot be read as a saved parse" in Member(folder).load("a").error
    VideoParse("other").save(folder / "a.safetensors")
    assert "is the record of other" in Member(folder).load("a").error


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([0.5, 0.5], r"action scores of shape \(2,\) for 3 actions"),
        ([[1.0, 0, 0]], r"of shape \(1, 3\)"),
        ([np.nan, 1, 0], "are no probabilities"),
        ([-0.1, 1.1, 0], "are no probabilities"),
        ([0.5, 0.4989, 0], r"sum to 0\.9989 and are no probabilities"),
        ([2.0, 3.0, 0], "are no probabilities"),
    ],
    ids=["other actions", "wrong shape", "NaN", "negative", "too little", "logits"],
)
def test_scores_that_cannot_be_used(save_records, scores, told):
    member = Member(save_records("run", [VideoParse("a", action_scores={"action": np.array(scores)})]))
    with pytest.raises(InputError, match=rf"a\.safetensors has .*{told}"):
        member.scores(member.load("a"), 3)


class TestReadMembers:
    def test_order_and_sources_of_one_folder(self, folder):
        members = read_members([f"{folder}:swin", str(folder)])
        assert [member.source for member in members] == ["swin", "action"]

    def test_one_folder_in_two_spellings_is_one_system(self, folder):
        first, second = read_members([f"{folder}:swin", f"{folder}/../parses"])
        assert first.folder == second.folder and first.system == second.system

    def test_a_source_that_some_records_lack(self, save_records):
        records = [VideoParse("a", error="x"), VideoParse("b", action_scores={"frame": np.ones(3) / 3})]
        [member] = read_members([f"{save_records('run', records)}:frame"])
        assert member.source == "frame"

    @pytest.mark.parametrize(
        ("texts", "told"),
        [
            (["{}:timesformer"], r"no action scores named timesformer: give one of those there are \(action, swin\)"),
            (["{}", "{}"], "parses:action is given twice"),
            (["{}", "{}/."], "is given twice"),
            (["{}/nowhere"], "nowhere is no folder of saved parses: give FOLDER or FOLDER:SOURCE"),
            (["{}/..:swin"], "has no saved parse .* give a folder such as RUN/parses/test"),
        ],
        ids=["source", "twice", "twice in two spellings", "missing", "empty"],
    )
    def test_refused(self, folder, texts, told):
        with pytest.raises(InputError, match=told):
            read_members([text.format(folder) for text in texts])

    def test_all_failed(self, save_records):
        folder = save_records("run", [VideoParse("a", error="x")])
        with pytest.raises(InputError, match=r"\(none, all videos have failed\)"):
            read_members([str(folder)])


def test_videos(tiny_root):
    videos = Videos(tiny_root, "test")
    assert list(videos.rows) == ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"]
    assert [videos.action(video) for video in videos.rows] == [0, 1, 2]
    assert videos.truth("push_up_test_0").action() == 2


def test_videos_without_annotation_have_their_action(tiny_copy):
    shutil.rmtree(tiny_copy / "test_annotations")
    videos = Videos(tiny_copy, "test")
    assert videos.action("push_up_test_0") == 2 and videos.truth("push_up_test_0") is None


def test_broken_videos_are_among_them(tiny_copy):
    (tiny_copy / "test_videos" / "pull_ups" / "pull_ups_test_0.mp4").write_bytes(b"")
    videos = Videos(tiny_copy, "test")
    assert sorted(videos.rows) == ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"]
    assert videos.action("pull_ups_test_0") == 1
