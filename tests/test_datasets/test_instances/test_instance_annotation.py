"""Reading annotations: what is tolerated, and what costs its instance alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny import REPOSITORY

from tpsparse.datasets.instances.annotation import read_annotations
from tpsparse.errors import InputError

NAME = "s00004_0_100_7_931"
REAL = REPOSITORY.parent / "shared" / "tapos" / "tapos_annotation_val.json"


def entry(**changes):
    """The example of the format's own loaders."""
    sound = dict(subset="train", shot_timestamps=[12.0, 40.5], total_frames=195, substages=[0, 79, 195])
    return {key: value for key, value in {**sound, **changes}.items() if value != "absent"}


def write(root: Path, content, name="tapos_annotation.json") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (root / name).write_text(text, encoding="utf-8")
    return root


def read_one(root: Path, **changes):
    """The only instance, and the kinds of what is wrong."""
    instances, faults = read_annotations(write(root, {"-a_B é(1)": {NAME: entry(**changes)}}))
    return (instances[0] if instances else None), [fault.kind for fault in faults]


def test_an_instance_as_annotated(tmp_path):
    instance, kinds = read_one(tmp_path, action="triple jump", extra={"x": [1]})
    assert kinds == [] and instance.key == f"-a_B é(1)/{NAME}"
    assert (instance.subset, instance.num_frames, instance.substages) == ("train", 195, (0, 79, 195))
    assert instance.boundaries.tolist() == [79] and instance.boundaries.dtype == "int64"
    assert instance.fps == pytest.approx(195 / 7.831) and instance.action == "triple jump"
    assert instance.start == pytest.approx(12.1) and instance.end == pytest.approx(19.931)


@pytest.mark.skipif(not REAL.is_file(), reason="the real val annotation is not here")
def test_the_real_val_set(tmp_path):
    (tmp_path / REAL.name).symlink_to(REAL)
    instances, faults = read_annotations(tmp_path)
    assert len(instances) == 1755 and faults == () and len({instance.youtube_id for instance in instances}) == 406
    assert sum(len(instance.boundaries) for instance in instances) == 4150
    assert {(instance.subset, instance.action, instance.shot) for instance in instances} == {("val", None, None)}


class TestLabels:
    @pytest.mark.parametrize("key", ["action", "label", "class", "category", "action_label"])
    @pytest.mark.parametrize(("value", "label"), [("high jump", "high jump"), (" ünïque ", "ünïque"), (7, "7")])
    def test_any_plausible_key_as_name_or_number(self, tmp_path, key, value, label):
        assert read_one(tmp_path, **{key: value})[0].action == label

    @pytest.mark.parametrize(("value", "label"), [(0, "0"), (7.0, "7")])
    def test_numbers(self, tmp_path, value, label):
        assert read_one(tmp_path, label=value)[0].action == label

    @pytest.mark.parametrize("value", ["absent", None, "", " ", -1, 1.5, True, ["high jump"], {}, "\ud800"])
    def test_none(self, tmp_path, value):
        instance, kinds = read_one(tmp_path, action=value)
        assert instance.action is None and kinds == []

    def test_of_the_source_video_and_of_the_instance_which_comes_first(self, tmp_path):
        other = "s00004_8_0_15_0"
        video = {"category": "vault", "url": "https://x", NAME: entry(), other: entry(action="beam")}
        instances, faults = read_annotations(write(tmp_path, {"v": video}))
        assert {instance.name: instance.action for instance in instances} == {NAME: "vault", other: "beam"}
        assert faults == ()

    def test_missing_among_others(self, tmp_path):
        content = {"v": {NAME: entry(action="beam")}, "w": {NAME: entry()}}
        instances, faults = read_annotations(write(tmp_path, content))
        assert len(instances) == 2 and [(fault.kind, fault.key) for fault in faults] == [("no-label", f"w/{NAME}")]


class TestTolerance:
    @pytest.mark.parametrize("value", [None, "absent"])
    def test_no_shot_times(self, tmp_path, value):
        instance, kinds = read_one(tmp_path, shot_timestamps=value)
        assert kinds == [] and instance.shot is instance.start is instance.end is None

    @pytest.mark.parametrize(
        "value", [[], [1], [5, 5], [5, 4], [-1, 4], ["1", "2"], "0:10", [0, 1e999], [0, 10**400], [True, 3]]
    )
    def test_shot_times_that_are_none_are_told(self, tmp_path, value):
        instance, kinds = read_one(tmp_path, shot_timestamps=value)
        assert instance.shot is None and kinds == ["bad-shot"]

    @pytest.mark.parametrize(
        ("changes", "fps"), [(dict(fps=29.97), 29.97), (dict(frame_rate=30), 30), (dict(fps=0), 195 / 7.831)]
    )
    def test_frame_rate_may_be_given(self, tmp_path, changes, fps):
        assert read_one(tmp_path, **changes)[0].fps == pytest.approx(fps)

    def test_whole_numbers_as_tables_with_gaps_write_them(self, tmp_path):
        instance, kinds = read_one(tmp_path, total_frames=195.0, substages=[0.0, 79.0, 195.0])
        assert kinds == [] and instance.substages == (0, 79, 195) and type(instance.substages[1]) is int

    @pytest.mark.parametrize(("word", "subset"), [("Validation", "val"), ("TRAIN", "train"), ("testing", "test")])
    def test_words_for_subsets(self, tmp_path, word, subset):
        assert read_one(tmp_path, subset=word)[0].subset == subset

    def test_subset_of_the_file(self, tmp_path):
        write(tmp_path, {"v": {NAME: entry(subset="absent")}}, "tapos_annotation_val.json")
        assert read_annotations(tmp_path).instances[0].subset == "val"

    def test_one_frame_and_no_boundary_can_be_used(self, tmp_path):
        name = "s00004_8_0_8_04"
        content = {"v": {NAME: entry(substages=[0, 195]), name: entry(total_frames=1, substages=[0, 1])}}
        instances, faults = read_annotations(write(tmp_path, content))
        assert [instance.boundaries.tolist() for instance in instances] == [[], []]
        assert [fault.kind for fault in faults] == ["no-boundary", "one-frame"]

    def test_byte_order_mark(self, tmp_path):
        write(tmp_path, "\ufeff" + json.dumps({"v": {NAME: entry()}}))
        assert len(read_annotations(tmp_path).instances) == 1

    def test_no_instance_at_all(self, tmp_path):
        assert read_annotations(write(tmp_path, {})) == ((), ())
        assert read_annotations(write(tmp_path / "b", {"v": {}})) == ((), ())


class TestBroken:
    @pytest.mark.parametrize(
        ("changes", "kinds"),
        [
            (dict(subset="absent"), ["unreadable-entry"]),
            (dict(subset=3), ["unreadable-entry"]),
            (dict(total_frames="absent"), ["unreadable-entry"]),
            (dict(total_frames=195.5), ["unreadable-entry"]),
            (dict(total_frames=True), ["unreadable-entry"]),
            (dict(substages="absent"), ["unreadable-entry"]),
            (dict(substages=[0, "79", 195]), ["unreadable-entry"]),
            (dict(substages=[0, float("nan"), 195]), ["unreadable-entry"]),
            (dict(substages=79), ["unreadable-entry"]),
            (dict(total_frames=10**30, substages=[0, 10**29, 10**30]), ["unreadable-entry"] * 2),
            (dict(total_frames=0), ["no-frames"]),
            (dict(substages=[0, 79, 190]), ["bad-ends"]),
            (dict(substages=[0, 99, 79, 195]), ["out-of-order"]),
        ],
    )
    def test_entries(self, tmp_path, changes, kinds):
        assert read_one(tmp_path, **changes) == (None, kinds)

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("high jump", "unreadable-name"),
            ("s1_2_0_2_0", "end-before-start"),
            ("s1_2_0_1_9", "end-before-start"),
            ("\ud800", "unreadable-name"),
            (f"s1_0_0_{'0' * 250}3_0", "unreadable-name"),
        ],
    )
    def test_names(self, tmp_path, name, kind):
        instances, faults = read_annotations(write(tmp_path, {"v": {name: entry(), NAME: entry()}}))
        assert [instance.name for instance in instances] == [NAME]
        assert [fault.kind for fault in faults] == [kind] and faults[0].key.encode()

    @pytest.mark.parametrize("content", [None, [], "x", 3])
    def test_no_object(self, tmp_path, content):
        instances, faults = read_annotations(
            write(tmp_path, {"v": {NAME: content, "s1_0_0_8_0": entry()}, "w": content})
        )
        assert len(instances) == 1
        assert [(fault.kind, fault.key) for fault in faults] == [
            ("unreadable-entry", f"v/{NAME}"),
            ("unreadable-entry", "w"),
        ]

    @pytest.mark.parametrize("video", ["", "..", ".a", "a/b", "a\\b", "a\0b", "\ud800", "é" * 101])
    def test_source_videos_that_no_file_can_be_called(self, tmp_path, video):
        instances, faults = read_annotations(write(tmp_path, {video: {NAME: entry()}, "v": {NAME: entry()}}))
        assert [instance.youtube_id for instance in instances] == ["v"]
        assert [fault.kind for fault in faults] == ["unusable-video-name"]


class TestFiles:
    def test_three_files_and_one_are_the_same(self, tmp_path):
        content = {f"v{subset}": {NAME: entry(subset=subset)} for subset in ("val", "train", "test")}
        whole = read_annotations(write(tmp_path / "one", content))
        for video, entries in content.items():
            write(tmp_path / "three", {video: entries}, f"tapos_annotation_{video[1:]}.json")
        assert read_annotations(tmp_path / "three") == whole and len(whole.instances) == 3

    def test_an_instance_in_two_files_is_that_of_the_first(self, tmp_path):
        write(tmp_path, {"v": {NAME: entry()}}, "tapos_annotation_a.json")
        write(tmp_path, {"v": {NAME: entry(substages=[0, 195])}}, "tapos_annotation_b.json")
        instances, faults = read_annotations(tmp_path)
        assert [instance.substages for instance in instances] == [(0, 79, 195)]
        assert [(fault.kind, fault.file.name) for fault in faults] == [("same-instance", "tapos_annotation_b.json")]

    def test_a_source_video_in_two_subsets_is_told_and_used(self, tmp_path):
        content = {"v": {NAME: entry(), "s1_0_0_8_0": entry(subset="val")}, "w": {NAME: entry()}}
        instances, faults = read_annotations(write(tmp_path, content))
        assert len(instances) == 3 and [(fault.kind, fault.key) for fault in faults] == [("two-subsets", "v")]
        assert faults[0].message == "has instances in train and val"

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, '{"v": \udcff}'])
    def test_a_file_that_cannot_be_read(self, tmp_path, text):
        path = tmp_path / "tapos_annotation_val.json"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(InputError, match=r"tapos_annotation_val\.json .*: restore the file"):
            read_annotations(tmp_path)
        write(tmp_path, {"v": {NAME: entry()}})
        instances, faults = read_annotations(tmp_path)
        assert len(instances) == 1 and [(fault.kind, fault.subset) for fault in faults] == [("unreadable-file", "val")]

    def test_none(self, tmp_path):
        with pytest.raises(InputError, match=r"has no tapos_annotation\*\.json: put"):
            read_annotations(tmp_path)

    def test_what_has_changed_is_read_anew(self, tmp_path):
        write(tmp_path, {"v": {NAME: entry()}})
        first = read_annotations(tmp_path)
        assert read_annotations(tmp_path) is first
        write(tmp_path, {"v": {NAME: entry(substages=[0, 78, 195])}})  # of the same length
        os.utime(tmp_path / "tapos_annotation.json", ns=(0, 0))
        assert read_annotations(tmp_path).instances[0].substages == (0, 78, 195)
