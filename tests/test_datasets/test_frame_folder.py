"""Frames as images: what is written, what is read back, and what interrupted or changed input does."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tpsparse.datasets import extraction, frame_folder
from tpsparse.datasets.frame_folder import FrameFolder, extract_frames, extract_video, open_frames
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError

NUM_VIDEOS, NUM_FRAMES, SIZE = 9, 12, (64, 96)


@pytest.fixture(scope="module")
def written(tiny_root, tmp_path_factory):
    """The drawn data set with its frames. Not to be changed."""
    root = Path(shutil.copytree(tiny_root, tmp_path_factory.mktemp("frames") / "data"))
    assert not len(extract_frames(root, workers=2, progress=False))
    return root


def one_video(drawn, root, name="a", *, action="push_up", size=SIZE, count=3):
    """A data set of one video."""
    frames = [cv2.resize(drawn.draw_frame("push_up", number), size[::-1]) for number in range(1, count + 1)]
    path = root / "train_videos" / action / f"{name}.mp4"
    drawn.encode(path, frames)
    return path


def extract(root, **options):
    return extract_frames(root, **{"workers": 1, "progress": False, **options})


def times(root):
    return {path: path.stat().st_mtime_ns for path in root.glob("*_frames/*/*")}


class TestWriting:
    def test_every_video_of_both_splits(self, written):
        folders = list(written.glob("*_frames/*/*"))
        assert len(folders) == NUM_VIDEOS
        for folder in folders:
            images = sorted(path.name for path in folder.glob("*.jpg"))
            assert images == [f"img_{number:05d}.jpg" for number in range(1, NUM_FRAMES + 1)]
            assert {path.name for path in folder.iterdir()} == {*images, "video.json"}
        settings = json.loads((written / "train_frames" / "frames.json").read_text())
        assert settings == {"short_side": 256, "format": "jpg", "quality": 92, "version": 1}

    def test_nothing_is_left_over(self, written, find_leftovers):
        assert find_leftovers(written) == []

    @pytest.mark.parametrize(
        ("size", "short_side", "expected"),
        [
            ((64, 96), 32, (32, 48)),
            ((96, 64), 32, (48, 32)),
            ((64, 96), 64, (64, 96)),
            ((64, 96), 256, (64, 96)),  # never enlarged
            ((64, 98), 33, (33, 51)),  # 98 * 33 / 64 = 50.53
        ],
    )
    def test_short_side(self, drawn, tmp_path, size, short_side, expected):
        one_video(drawn, tmp_path, size=size)
        extract(tmp_path, short_side=short_side)
        folder = open_frames(tmp_path, "train", "push_up", "a")
        assert (folder.size, folder.video_size) == (expected, size)
        assert folder.frames([1]).shape == (1, *expected, 3)

    def test_images_are_larger_at_higher_quality(self, drawn, tmp_path):
        sizes = []
        for quality in (10, 100):
            one_video(drawn, tmp_path / str(quality))
            extract(tmp_path / str(quality), quality=quality)
            sizes.append(next((tmp_path / str(quality)).rglob("img_00001.jpg")).stat().st_size)
        assert sizes[0] < 0.7 * sizes[1]

    def test_names_that_need_care(self, drawn, tmp_path):
        names = ["übung [1] (a) *", "übung [1] (a) b"]
        for name in names:
            one_video(drawn, tmp_path, name, action="hurling_(sport)")
        assert not len(extract(tmp_path))
        assert all(open_frames(tmp_path, "train", "hurling_(sport)", name).num_frames == 3 for name in names)

    def test_train_alone_is_enough(self, drawn, tmp_path):
        one_video(drawn, tmp_path)
        extract(tmp_path)
        assert not (tmp_path / "test_frames").exists()


class TestReading:
    @pytest.fixture(scope="class")
    def pair(self, written):
        """A video and its folder."""
        name = "push_up_train_0"
        return (
            Video(written / "train_videos" / "push_up" / f"{name}.mp4"),
            open_frames(written, "train", "push_up", name),
        )

    @pytest.mark.parametrize("numbers", [[1], [12], [7, 3, 11], [5, 5, 2, 5], list(range(1, 13)), [np.int64(4)]])
    def test_frames_are_the_videos(self, pair, numbers):
        video, folder = pair
        frames, expected = folder.frames(numbers), video.frames(numbers)
        assert frames.shape == expected.shape and frames.dtype == np.uint8
        for place, frame in enumerate(frames.astype(int)):
            distances = np.abs(video.frames(range(1, 13)).astype(int) - frame).mean(axis=(1, 2, 3))
            assert distances.argmin() == numbers[place] - 1 and distances.min() < 4  # JPEG's loss

    def test_lossless_at_webp_100(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path)
        extract(tmp_path, image_format="webp", quality=100)
        folder = open_frames(tmp_path, "train", "push_up", "a")
        assert len(list(folder.path.glob("*.webp"))) == 3
        assert np.abs(folder.frames([2]).astype(int) - Video(path).frames([2])).mean() < 3

    def test_facts_are_the_videos(self, pair):
        video, folder = pair
        for fact in ("name", "num_frames", "fps", "size"):
            assert getattr(folder, fact) == getattr(video, fact)
        assert folder.video_size == video.size

    def test_repeated_number_is_read_once(self, pair, monkeypatch):
        read = []
        inner = cv2.imdecode
        monkeypatch.setattr(cv2, "imdecode", lambda *args: read.append(1) or inner(*args))
        pair[1].frames([5, 2, 5, 5])
        assert len(read) == 2

    def test_no_number_gives_no_frame(self, pair):
        assert pair[1].frames([]).shape == (0, *SIZE, 3)

    @pytest.mark.parametrize(("number", "told"), [(0, "numbered from 1"), (13, "ends after frame 12")])
    def test_number_out_of_range(self, pair, number, told):
        with pytest.raises(InputError, match=told) as error:
            pair[1].frames([1, number])
        assert str(error.value).startswith(str(pair[1].path))

    @pytest.mark.parametrize("content", [None, b"", b"no image", "another size"])
    def test_image_that_cannot_be_read(self, drawn, tmp_path, content):
        one_video(drawn, tmp_path)
        extract(tmp_path)
        folder = open_frames(tmp_path, "train", "push_up", "a")
        path = folder.path / "img_00002.jpg"
        path.unlink()
        if content == "another size":
            cv2.imwrite(str(path), np.zeros((5, 5, 3), np.uint8))
        elif content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=r"img_00002\.jpg cannot be read: remove its folder and run"):
            folder.frames([1, 2])

    @pytest.mark.parametrize("content", [None, "", "[]", "{", '{"num_frames": 3}'])
    def test_folder_that_is_not_whole(self, tmp_path, content):
        folder = tmp_path / "train_frames" / "push_up" / "a"
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "video.json").write_text(content)
        assert open_frames(tmp_path, "train", "push_up", "a") is None
        with pytest.raises(InputError, match="has no whole set of frames"):
            FrameFolder(folder)

    def test_opened_once_a_process(self, written):
        arguments = (written, "train", "lunge", "lunge_train_0")
        assert open_frames(*arguments) is open_frames(*arguments)


class TestResuming:
    def test_whole_folders_stay(self, drawn, tmp_path):
        one_video(drawn, tmp_path)
        extract(tmp_path)
        before = times(tmp_path)
        one_video(drawn, tmp_path, "b")
        extract(tmp_path)
        after = times(tmp_path)
        assert len(after) == 2 and before.items() < after.items()

    def test_changed_video_is_written_again(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path)
        extract(tmp_path)
        assert open_frames(tmp_path, "train", "push_up", "a").num_frames == 3
        one_video(drawn, tmp_path, count=5)
        extract(tmp_path)
        assert open_frames(tmp_path, "train", "push_up", "a").num_frames == 5
        before = times(tmp_path)
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))  # the same size, another time
        extract(tmp_path)
        assert times(tmp_path) != before

    def test_leftovers_of_a_killed_run_go(self, drawn, tmp_path, find_leftovers):
        one_video(drawn, tmp_path, "a [1]")
        left = tmp_path / "train_frames" / "push_up" / ".a [1].1-ff.partial"
        left.mkdir(parents=True)
        (left / "img_00001.jpg").write_bytes(b"half")
        (tmp_path / "train_frames" / "frames.json").write_text(
            json.dumps({"short_side": 256, "format": "jpg", "quality": 92, "version": 1})
        )
        extract(tmp_path)
        assert find_leftovers(tmp_path) == [] and not left.exists()
        assert open_frames(tmp_path, "train", "push_up", "a [1]").num_frames == 3

    @pytest.mark.parametrize("fault", ["full", "interrupted"])
    def test_stopped_in_the_middle(self, drawn, tmp_path, monkeypatch, find_leftovers, fault):
        for name in "ab":
            one_video(drawn, tmp_path, name)
        written, inner = [], Path.write_bytes

        def write(self, content):
            written.append(self)
            if len(written) == 5:  # the second frame of the second video
                raise OSError(errno.ENOSPC, "No space left on device") if fault == "full" else KeyboardInterrupt
            return inner(self, content)

        monkeypatch.setattr(Path, "write_bytes", write)
        with pytest.raises(InputError if fault == "full" else KeyboardInterrupt) as error:
            extract(tmp_path)
        if fault == "full":
            assert str(error.value).startswith(str(tmp_path / "train_frames" / "push_up" / "b"))
            assert "No space left on device): make room" in str(error.value) and "\n" not in str(error.value)
        assert find_leftovers(tmp_path) == []
        assert [path.name for path in (tmp_path / "train_frames" / "push_up").iterdir()] == ["a"]
        monkeypatch.undo()
        assert not len(extract(tmp_path)) and len(times(tmp_path)) == 2


class TestRefused:
    @pytest.mark.parametrize("options", [{"short_side": 32}, {"image_format": "webp"}, {"quality": 91}])
    def test_other_settings(self, written, options):
        told = "remove the folder or repeat with --short-side 256 --format jpg --quality 92"
        with pytest.raises(InputError, match=told) as error:
            extract(written, **options)
        assert str(error.value).startswith(str(written / "train_frames" / "frames.json"))

    def test_other_version(self, drawn, tmp_path):
        one_video(drawn, tmp_path)
        extract(tmp_path)
        path = tmp_path / "train_frames" / "frames.json"
        path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
        with pytest.raises(InputError, match="is of version 2, not 1: remove the folder"):
            extract(tmp_path)

    @pytest.mark.parametrize("content", [None, "{", '{"unknown": 1}'])
    def test_frames_without_settings(self, drawn, tmp_path, content):
        one_video(drawn, tmp_path)
        (tmp_path / "train_frames" / "push_up").mkdir(parents=True)
        if content is not None:
            (tmp_path / "train_frames" / "frames.json").write_text(content)
        with pytest.raises(InputError, match=r"frames\.json is missing or cannot be read: remove the folder"):
            extract(tmp_path)

    def test_another_run(self, drawn, tmp_path):
        one_video(drawn, tmp_path)
        extract(tmp_path)
        with (tmp_path / "train_frames" / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(InputError, match="is used by another run: wait until that has ended, or end it"):
                extract(tmp_path)
        extract(tmp_path)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"image_format": "png"}, "use jpg or webp"),
            ({"quality": 0}, "use 1 to 100"),
            ({"quality": 101}, "use 1 to 100"),
            ({"short_side": 0}, "use 1 or more"),
        ],
    )
    def test_parameters(self, drawn, tmp_path, options, told):
        one_video(drawn, tmp_path)
        with pytest.raises(InputError, match=told):
            extract(tmp_path, **options)

    def test_no_video_folder(self, tmp_path):
        with pytest.raises(InputError, match="train_videos is missing"):
            extract(tmp_path)


class TestBrokenVideos:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_cost_themselves(self, tiny_copy, spoil, workers, find_leftovers):
        spoil(tiny_copy)
        for number in (workers, 1):  # they are told again when nothing is left to be done
            problems = extract(tiny_copy, workers=number)
            told = {problem.path.name: problem for problem in problems}
            assert {name: problem.skipped for name, problem in told.items()} == {
                "lunge_train_0.mp4": "video",
                "pull_ups_train_0.mp4": "video",
                "lunge_test_0.mp4": "video",
            }
            assert "is truncated" in told["pull_ups_train_0.mp4"].message
        assert len(times(tiny_copy)) == NUM_VIDEOS - 3 and find_leftovers(tiny_copy) == []

    def test_frames_of_a_video_that_broke_later_go(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path)
        extract(tmp_path)
        path.write_bytes(b"")
        assert [problem.skipped for problem in extract(tmp_path)] == ["video"]
        assert open_frames(tmp_path, "train", "push_up", "a") is None

    def test_end_that_cannot_be_decoded(self, drawn, tmp_path, monkeypatch):
        one_video(drawn, tmp_path)
        whole = Video.decode
        monkeypatch.setattr(Video, "decode", lambda self: whole(self, 2))
        for _ in range(2):
            [problem] = extract(tmp_path)
            assert (problem.skipped, problem.message) == (
                "end of video",
                "has 3 frames but only 2 can be decoded",
            )
        assert open_frames(tmp_path, "train", "push_up", "a").num_frames == 2

    def test_two_videos_of_one_name(self, drawn, tmp_path):
        path = one_video(drawn, tmp_path)
        shutil.copy(path, path.with_suffix(".mov"))
        [problem] = extract(tmp_path)
        assert problem.path.name == "a.mp4" and "has the name of a.mov" in problem.message
        assert len(times(tmp_path)) == 1

    def test_video_that_crashes_its_process(self, drawn, tmp_path, monkeypatch, find_leftovers):
        for name in "abc":
            one_video(drawn, tmp_path, name)
        monkeypatch.setattr(frame_folder, "_extract", crash_on_b)
        [problem] = extract(tmp_path, workers=2)
        assert (problem.path.name, problem.skipped) == ("b.mp4", "video")
        assert "ends the process that reads it" in problem.message
        assert [path.name for path in sorted(times(tmp_path))] == ["a", "c"] and find_leftovers(tmp_path) == []


def crash_on_b(job, settings):
    if job[0].stem == "b":
        with extraction.new_folder(job[1]):
            os.abort()
    return extract_video(*job, settings)


def test_from_the_shell(tiny_copy, run_tool, spoil):
    assert run_tool("prepare_data", "frames", tiny_copy, "--short-side", 32, "--workers", 1) == 0
    assert open_frames(tiny_copy, "test", "lunge", "lunge_test_0").size == (32, 48)
    spoil(tiny_copy)
    assert run_tool("prepare_data", "frames", tiny_copy, "--short-side", 32, "--workers", 1) == 3
    assert run_tool("prepare_data", "frames", tiny_copy, "--workers", 1) == 2
