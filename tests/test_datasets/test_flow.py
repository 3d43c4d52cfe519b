"""Optical flow as images: what is computed, written and read back, and what missing or foreign flow does."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tpsparse.datasets import flow as flow_module
from tpsparse.datasets.flow import (
    FlowFolder,
    FlowSettings,
    PairStore,
    compute_flow,
    extract_flow,
    find_flow,
    first_frames,
    grey,
    pair_flow,
    quantise,
)
from tpsparse.datasets.layout import flow_of
from tpsparse.errors import InputError

QUICK = FlowSettings(short_side=32, bound=4, effort="quick")
OPTIONS = dict(short_side=32, bound=4, effort="quick", workers=1, progress=False)


def texture(size=(64, 80), seed=0):
    noise = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def moved(image, right, down):
    return cv2.warpAffine(image, np.float32([[1, 0, right], [0, 1, down]]), image.shape[::-1], borderMode=2)


def one_video(drawn, root, name="a", *, action="lunge", count=3, size=(64, 96)):
    frames = [cv2.resize(drawn.draw_frame("push_up", number), size[::-1]) for number in range(1, count + 1)]
    path = root / "train_videos" / action / f"{name}.mp4"
    drawn.encode(path, frames)
    return path


@pytest.fixture(scope="module")
def written(tiny_root, tmp_path_factory):
    """The drawn data set with its flow. Not to be changed."""
    root = Path(shutil.copytree(tiny_root, tmp_path_factory.mktemp("flow") / "data"))
    assert not len(extract_flow(root, **{**OPTIONS, "workers": 2}))
    return root


class TestPairs:
    @pytest.mark.parametrize("effort", ["full", "quick"])
    @pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-2, 1)])
    def test_flow_is_the_displacement(self, effort, right, down):
        image = texture()
        found = pair_flow(image, moved(image, right, down), FlowSettings(bound=5, effort=effort))
        assert found.shape == (64, 80, 2) and found.dtype == np.uint8
        pixels = found[12:-12, 12:-12].reshape(-1, 2) * (10 / 255) - 5
        np.testing.assert_allclose(np.median(pixels, axis=0), [right, down], atol=0.15)

    def test_mirrored_frames_have_mirrored_flow(self):
        first = texture()
        second = moved(first, 2, 1)
        plain = pair_flow(first, second, QUICK).astype(int)
        mirrored = pair_flow(first[:, ::-1].copy(), second[:, ::-1].copy(), QUICK).astype(int)[:, ::-1]
        assert np.abs(mirrored[12:-12, 12:-12, 0] - (255 - plain[12:-12, 12:-12, 0])).mean() < 2
        assert np.abs(mirrored[12:-12, 12:-12, 1] - plain[12:-12, 12:-12, 1]).mean() < 2

    def test_no_second_frame_is_no_motion(self):
        found = pair_flow(texture((5, 7)), None, FlowSettings())
        assert found.shape == (5, 7, 2) and (found == 128).all()

    @pytest.mark.parametrize(
        ("pixels", "value"),
        # (d + 20) * 255 / 40, to the nearest whole number and the even one of two
        [(-20, 0), (-25, 0), (20, 255), (99, 255), (0, 128), (10, 191), (-10, 64), (0.1, 128), (0.2, 129)],
    )
    def test_quantised_as_in_the_literature(self, pixels, value):
        assert quantise(np.array([pixels], dtype=np.float32), 20) == [value]

    def test_grey_is_reduced_and_never_enlarged(self, drawn):
        frame = drawn.draw_frame("lunge", 1)
        assert grey(frame, 32).shape == (32, 48)
        np.testing.assert_array_equal(grey(frame, 256), cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))

    @pytest.mark.parametrize(
        ("numbers", "num_frames", "firsts"),
        [([1, 11, 12], 12, [1, 11, 11]), ([1], 1, [1]), ([2, 1], 2, [1, 1]), ([], 5, [])],
    )
    def test_first_frames(self, numbers, num_frames, firsts):
        assert first_frames(numbers, num_frames, "a.mp4").tolist() == firsts

    @pytest.mark.parametrize("number", [0, 13])
    def test_frames_that_are_not_there(self, number):
        with pytest.raises(InputError, match=rf"^a\.mp4 has frames 1 to 12 but flow from frame {number} was asked for"):
            first_frames([3, number], 12, "a.mp4")


class TestWriting:
    def test_every_video_of_both_splits(self, written):
        folders = list(written.glob("*_flow/*/*"))
        assert len(folders) == 9
        for folder in folders:
            expected = {f"flow_{axis}_{number:05d}.jpg" for axis in "xy" for number in range(1, 12)}
            assert {path.name for path in folder.iterdir()} == {*expected, "video.json"}
        settings = json.loads((written / "test_flow" / "flow.json").read_text())
        assert settings == {"short_side": 32, "bound": 4, "effort": "quick", "algorithm": "TV-L1", "version": 1}

    def test_nothing_is_left_over(self, written, find_leftovers):
        assert find_leftovers(written) == []

    def test_what_is_read_is_what_was_computed(self, written):
        video = written / "train_videos" / "push_up" / "push_up_train_0.mp4"
        numbers = [3, 12, 1, 3]
        read = find_flow(video, QUICK).flow(numbers)
        computed = compute_flow(video, numbers, QUICK)
        assert read.shape == computed.shape == (4, 32, 48, 2) and read.dtype == np.uint8
        assert np.abs(read.astype(int) - computed).mean() < 2  # JPEG's loss
        np.testing.assert_array_equal(computed, compute_flow(video, [3, 11, 1, 3], QUICK))
        assert np.abs(computed[0].astype(int) - computed[2]).max() > 10  # not all alike

    def test_repeated_pairs_do_not_share_memory(self, written):
        video = written / "train_videos" / "lunge" / "lunge_train_0.mp4"
        for found in (find_flow(video, QUICK).flow([2, 2]), compute_flow(video, [2, 2], QUICK)):
            found[0] = 7
            assert (found[1] != 7).any()

    def test_single_frame(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path, count=1)
        assert not len(extract_flow(tmp_path, **OPTIONS))
        found = find_flow(path, QUICK)
        assert {each.name for each in found.path.glob("*.jpg")} == {"flow_x_00001.jpg", "flow_y_00001.jpg"}
        assert (found.flow([1, 1]) == 128).all() and (compute_flow(path, [1], QUICK) == 128).all()

    def test_no_number_gives_no_flow(self, written):
        assert find_flow(written / "test_videos/lunge/lunge_test_0.mp4", QUICK).flow([]).shape == (0, 32, 48, 2)

    def test_instances_in_tapos_layout(self, drawn, tmp_path):
        drawn_at = one_video(drawn, tmp_path / "elsewhere")
        path = tmp_path / "root" / "instances" / "abc" / "s1_0_0_1_5.mp4"
        path.parent.mkdir(parents=True)
        drawn_at.rename(path)
        assert not len(extract_flow(tmp_path / "root", **OPTIONS))
        assert find_flow(path, QUICK).path == tmp_path / "root" / "instances_flow" / "abc" / "s1_0_0_1_5"

    def test_names_that_need_care(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path, "übung [1] (a) *", action="hurling_(sport)")
        assert not len(extract_flow(tmp_path, **OPTIONS))
        assert find_flow(path, QUICK).num_frames == 3

    def test_broken_videos_cost_themselves(self, tiny_copy, spoil):
        spoil(tiny_copy)
        told = {problem.path.name: problem.skipped for problem in extract_flow(tiny_copy, **OPTIONS)}
        assert told == dict.fromkeys(("lunge_train_0.mp4", "pull_ups_train_0.mp4", "lunge_test_0.mp4"), "video")
        assert len(list(tiny_copy.glob("*_flow/*/*"))) == 6


class TestComputedOnce:
    """Where several networks ask for flow that was not extracted."""

    @pytest.fixture
    def pairs(self, monkeypatch):
        """First values of the pairs' frames, in the order in which they were computed."""
        inner, calls = flow_module.pair_flow, []

        def count(first, second, settings):
            calls.append(settings)
            return inner(first, second, settings)

        monkeypatch.setattr(flow_module, "pair_flow", count)
        monkeypatch.setattr(flow_module, "PAIRS", PairStore(1 << 20))
        return calls

    def test_seven_networks(self, drawn, tmp_path, pairs):
        path = one_video(drawn, tmp_path, count=6)
        first = compute_flow(path, [1, 2, 3, 2], QUICK)
        expected = first.copy()
        first[:] = 7  # what was kept is not what was given
        for _ in range(6):
            np.testing.assert_array_equal(compute_flow(str(path), [1, 2, 3, 2], QUICK), expected)
        assert len(pairs) == 3
        np.testing.assert_array_equal(compute_flow(path, [3, 4, 1], QUICK)[[0, 2]], expected[[2, 0]])
        assert len(pairs) == 4  # only what was new

    def test_other_settings_videos_and_times(self, drawn, tmp_path, pairs):
        path, other = (one_video(drawn, tmp_path, name, count=4) for name in "ab")
        compute_flow(path, [1], QUICK)
        wider = FlowSettings(short_side=32, bound=8, effort="quick")
        assert (compute_flow(path, [1], wider) != compute_flow(path, [1], QUICK)).any() and len(pairs) == 2
        compute_flow(other, [1], QUICK)
        os.utime(path, ns=(0, 1))
        compute_flow(path, [1], QUICK)
        assert pairs == [QUICK, wider, QUICK, QUICK]

    def test_room(self, drawn, tmp_path, pairs, monkeypatch):
        path = one_video(drawn, tmp_path, count=6)
        monkeypatch.setattr(flow_module, "PAIRS", PairStore(2 * 32 * 48 * 2))  # two pairs
        compute_flow(path, [1, 2, 3], QUICK)
        compute_flow(path, [2, 3], QUICK)
        assert len(pairs) == 3
        compute_flow(path, [1], QUICK)  # 2 is dropped: 3 was asked for after it
        compute_flow(path, [3], QUICK)
        assert len(pairs) == 4
        compute_flow(path, [2], QUICK)
        assert len(pairs) == 5

    def test_no_room_and_the_same_again(self):
        store, pair = PairStore(7), np.zeros((1, 2, 2), np.uint8)
        for key in "aab":
            store.put((key,), pair)
        assert store.get(("a",)) is None and store.get(("b",)) is pair
        store = PairStore(3)
        store.put(("a",), pair)
        assert store.get(("a",)) is None

    def test_video_that_is_gone(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path)
        compute_flow(path, [1], QUICK)
        path.unlink()
        with pytest.raises(InputError, match=r"a\.mp4 is missing: put it back"):
            compute_flow(path, [1], QUICK)


class TestResuming:
    def test_whole_folders_stay_and_changed_videos_do_not(self, drawn, tmp_path):
        for name in "ab":
            one_video(drawn, tmp_path, name)
        extract_flow(tmp_path, **OPTIONS)
        times = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("train_flow/*/*")}
        one_video(drawn, tmp_path, "b", count=5)
        extract_flow(tmp_path, **OPTIONS)
        after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("train_flow/*/*")}
        assert after["a"] == times["a"] and after["b"] != times["b"]
        assert find_flow(tmp_path / "train_videos/lunge/b.mp4", QUICK).num_frames == 5

    def test_stopped_in_the_middle(self, drawn, tmp_path, monkeypatch, find_leftovers):
        for name in "ab":
            one_video(drawn, tmp_path, name)
        inner, calls = flow_module.pair_flow, []

        def stop(*args):
            calls.append(1)
            if len(calls) == 4:  # the second pair of the second video
                raise KeyboardInterrupt
            return inner(*args)

        monkeypatch.setattr(flow_module, "pair_flow", stop)
        with pytest.raises(KeyboardInterrupt):
            extract_flow(tmp_path, **OPTIONS)
        assert find_leftovers(tmp_path) == []
        assert [path.name for path in tmp_path.glob("train_flow/*/*")] == ["a"]
        monkeypatch.undo()
        assert not len(extract_flow(tmp_path, **OPTIONS))
        assert len(list(tmp_path.glob("train_flow/*/*"))) == 2

    @pytest.mark.parametrize("change", [{"short_side": 16}, {"bound": 20}, {"effort": "full"}])
    def test_other_settings_are_refused(self, written, change):
        told = "is of flow written otherwise: remove the folder or repeat with --short-side 32 --bound 4 --effort quick"
        with pytest.raises(InputError, match=told) as error:
            extract_flow(written, **{**OPTIONS, **change})
        assert str(error.value).startswith(str(written / "train_flow" / "flow.json"))

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"short_side": 0}, "short side of 0 pixels"),
            ({"bound": 0}, "bound of 0 pixels"),
            ({"effort": "some"}, "no effort 'some': use full or quick"),
        ],
    )
    def test_parameters(self, tmp_path, change, told):
        with pytest.raises(InputError, match=told):
            extract_flow(tmp_path, **{**OPTIONS, **change})


class TestRefused:
    @pytest.fixture
    def video(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path / "my data")
        extract_flow(tmp_path / "my data", **OPTIONS)
        return path

    def test_no_flow(self, tiny_root):
        path = tiny_root / "train_videos" / "lunge" / "lunge_train_0.mp4"
        with pytest.raises(InputError) as error:
            find_flow(path, QUICK)
        run = f"run tools/prepare_data.py flow {tiny_root} --short-side 32 --bound 4 --effort quick"
        assert str(error.value) == f"{path} has no extracted flow: {run}"

    @pytest.mark.parametrize(
        "wanted", [FlowSettings(16, 4, "quick"), FlowSettings(32, 5, "quick"), FlowSettings(32, 4)]
    )
    def test_made_otherwise(self, video, wanted):
        folder = video.parents[2] / "train_flow"
        with pytest.raises(InputError) as error:
            find_flow(video, wanted)
        assert str(error.value) == (
            f"{folder / 'lunge' / 'a'} is of flow made with --short-side 32 --bound 4 --effort quick: "
            f"remove {folder} and run tools/prepare_data.py flow '{video.parents[2]}' {wanted.options()}"
        )

    def test_of_another_video(self, video, drawn):
        one_video(drawn, video.parents[2], count=6)
        with pytest.raises(
            InputError, match=r"lunge/a is of another video than a\.mp4: run tools/prepare_data\.py flow"
        ):
            find_flow(video, QUICK)

    def test_a_copy_of_the_data_set_is_the_same(self, video):
        os.utime(video, ns=(0, 1))
        assert find_flow(video, QUICK).num_frames == 3

    @pytest.mark.parametrize("content", [None, b"", b"no image"])
    def test_image_that_cannot_be_read(self, video, content):
        found = find_flow(video, QUICK)
        path = found.path / "flow_y_00002.jpg"
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        assert found.flow([1]).shape == (1, 32, 48, 2)
        with pytest.raises(InputError, match=r"flow_y_00002\.jpg cannot be read: remove its folder and run") as error:
            found.flow([1, 2])
        assert str(error.value).startswith(str(path))

    def test_image_of_another_size(self, video):
        found = find_flow(video, QUICK)
        path = found.path / "flow_y_00002.jpg"
        cv2.imwrite(str(path), np.zeros((10, 12), np.uint8))
        with pytest.raises(InputError) as error:
            found.flow([1, 2])
        assert str(error.value) == (
            f"{path} is 10x12, not 32x48: remove its folder and run tools/prepare_data.py flow again"
        )

    @pytest.mark.parametrize("content", [None, "", "[]", "{", '{"num_frames": 3}'])
    def test_folder_that_is_not_whole(self, tmp_path, content):
        if content is not None:
            (tmp_path / "video.json").write_text(content)
        with pytest.raises(InputError, match="has no whole set of flow: run tools/prepare_data"):
            FlowFolder(tmp_path)

    def test_outside_of_the_layout(self, tmp_path):
        path = tmp_path / "a.mp4"
        with pytest.raises(InputError, match=r"a\.mp4 is in no data set of the official layout"):
            find_flow(path, QUICK)

    def test_opencv_without_contrib(self, tmp_path, monkeypatch):
        monkeypatch.delattr(cv2, "optflow")
        flow_module._tvl1.cache_clear()
        with pytest.raises(InputError, match=r"pip install 'opencv-contrib-python>=4\.11,<4\.12'"):
            extract_flow(tmp_path, **OPTIONS)


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        ("/d/train_videos/lunge/a b.mp4", ("/d", "/d/train_flow/lunge/a b")),
        ("/d/test_videos/x/y.webm", ("/d", "/d/test_flow/x/y")),
        ("/d/e/../test_videos/x/y.mp4", ("/d", "/d/test_flow/x/y")),
        ("/d/instances/x (ü)/s1_0_0_1_5.mp4", ("/d", "/d/instances_flow/x (ü)/s1_0_0_1_5")),
        ("/d/val_videos/x/y.mp4", None),
        ("/d/train_videos/y.mp4", None),
        ("/y.mp4", None),
    ],
)
def test_where_flow_lies(video, expected):
    assert flow_of(Path(video)) == (expected and tuple(map(Path, expected)))


def test_from_the_shell(tiny_copy, run_tool, spoil):
    options = ("--short-side", 32, "--bound", 4, "--effort", "quick", "--workers", 1)
    assert run_tool("prepare_data", "flow", tiny_copy, *options) == 0
    assert find_flow(tiny_copy / "test_videos/lunge/lunge_test_0.mp4", QUICK).size == (32, 48)
    spoil(tiny_copy)
    assert run_tool("prepare_data", "flow", tiny_copy, *options) == 3
    assert run_tool("prepare_data", "flow", tiny_copy, "--workers", 1) == 2
