"""Cutting, frame by frame: every frame of the made videos shows its own number."""

from __future__ import annotations

import fcntl
import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tpsparse.datasets.decoding import Decoder
from tpsparse.datasets.instances import cutting
from tpsparse.datasets.instances.cutting import Cut, cut_instances, frame_numbers
from tpsparse.datasets.instances.validation import check_instances
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.workers import Crashed

BITS, STRIPE, HEIGHT = 8, 8, 32
NTSC = Fraction(30000, 1001)


def numbered(number):
    """A frame that says its number, from 0, in black and white stripes."""
    stripes = [255 * (number >> bit & 1) for bit in range(BITS)]
    return np.repeat(np.repeat(np.array(stripes, dtype=np.uint8), STRIPE)[None, :, None], HEIGHT, axis=0).repeat(3, 2)


def read_numbers(path):
    """What the frames of a video say, at whatever size."""
    video = Video(path)
    frames = video.frames(range(1, video.num_frames + 1))
    width = frames.shape[2]
    centres = [round((bit + 0.5) * width / BITS) for bit in range(BITS)]
    lit = frames[:, frames.shape[1] // 2, centres, 1] > 127
    return (lit * 2 ** np.arange(BITS)).sum(axis=1).tolist()


def write_source(path, count=200, *, rate=Fraction(25), first=0, times=None, size=None, codec="libx264"):
    """A key frame every twelfth and B-frames between.

    Args:
        path: The file.
        count: Frames.
        rate: Frames a second.
        first: When the first is shown, in frames.
        times: When each is shown, in frames.
        size: (height, width), by default as drawn.
        codec: H.264 or MPEG-4 part 2.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        options = {"crf": "10"} if codec == "libx264" else {"qscale": "1"}
        stream = file.add_stream(codec, rate=rate, options={**options, "bf": "2", "g": "12", "threads": "1"})
        stream.height, stream.width = size or (HEIGHT, BITS * STRIPE)
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / rate
        for number in range(count):
            image = numbered(number)
            if size is not None:
                image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_NEAREST)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (first + number if times is None else times[number]), 1 / rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def annotate(root, **videos):
    """An instance a video: its name, number of frames, and where its shot begins."""
    content = {}
    for video, (name, frames, shot) in videos.items():
        shot_times = None if shot is None else [shot, shot + 100.0]
        entry = dict(subset="train", shot_timestamps=shot_times, total_frames=frames, substages=[0, frames])
        content.setdefault(video, {})[name] = entry
    root.mkdir(parents=True, exist_ok=True)
    (root / "tapos_annotation.json").write_text(json.dumps(content))
    return root


def cut(root, **options):
    return cut_instances(root, workers=1, progress=False, **options)


def file_of(root, video, name):
    return root / "instances" / video / f"{name}.mp4"


class TestFrameExact:
    @pytest.mark.parametrize(
        ("rate", "shot", "name", "frames", "expected"),
        [
            (25, 2.0, "s00001_0_400_2_400", 50, range(60, 110)),  # 2.0 s + 0.4 s are 60 frames
            (25, 0.0, "s00001_0_0_8_0", 200, range(200)),
            (25, 0.0, "s00001_7_960_8_000", 1, [199]),
            (25, 0.0, "s00001_1_0_3_0", 25, range(25, 75, 2)),  # annotated at half the rate
            # Frame 33 is shown at 1.1011 s and frame 93 at 3.1031 s: what names cut off must not cost a frame.
            (NTSC, 0.0, "s00001_1_101_3_103", 60, range(33, 93)),
            (NTSC, 1.0, "s00001_0_102_2_104", 60, range(33, 93)),
        ],
    )
    def test_by_shot_and_offset(self, tmp_path, rate, shot, name, frames, expected):
        root = annotate(tmp_path, **{"v é": (name, frames, shot)})
        write_source(root / "videos" / "v é.mp4", rate=Fraction(rate))
        result = cut(root)
        assert (result.written, result.known, len(result.problems)) == (1, 0, 0)
        assert read_numbers(file_of(root, "v é", name)) == list(expected)
        assert check_instances(root, check_videos=True, workers=1, progress=False).num_errors == 0

    def test_more_frames_than_the_source_has_are_shown_twice(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_1_0_1_4", 20, 0.0))  # 10 frames of the source
        write_source(root / "videos" / "v.mp4")
        cut(root)
        found = read_numbers(file_of(root, "v", "s00001_1_0_1_4"))
        assert found[0] == 25 and found[-1] in (34, 35) and sorted(found) == found and len(found) == 20
        assert set(range(25, 35)) <= set(found)

    @pytest.mark.parametrize("suffix", [".mkv", ".mov", ".webm"])
    def test_containers_and_a_first_frame_that_is_late(self, tmp_path, suffix):
        root = annotate(tmp_path, v=("s00001_0_400_2_400", 50, 2.0))
        source = write_source(tmp_path / "videos" / f"v{'.mkv' if suffix == '.webm' else suffix}", first=40)
        source.rename(source.with_suffix(suffix))
        cut(root)
        assert read_numbers(file_of(root, "v", "s00001_0_400_2_400")) == list(range(60, 110))

    def test_codec_whose_frames_are_only_counted(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_0_400_2_400", 50, 2.0))
        write_source(root / "videos" / "v.avi", codec="mpeg4")
        cut(root)
        assert read_numbers(file_of(root, "v", "s00001_0_400_2_400")) == list(range(60, 110))

    def test_times_that_are_not_even(self, tmp_path):
        """The first 100 frames are shown for 40 ms each, the others for 80 ms."""
        root = annotate(tmp_path, v=("s00001_0_0_2_000", 25, 3.6))
        times = [number if number < 100 else 2 * number - 100 for number in range(200)]
        write_source(root / "videos" / "v.mkv", times=times)
        cut(root)
        # From 3.6 s in steps of 80 ms: every second frame until 4 s, then every one.
        expected = [90, 92, 94, 96, 98, *range(100, 120)]
        assert read_numbers(file_of(root, "v", "s00001_0_0_2_000")) == expected

    def test_size(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_0_0_1_0", 25, 1.0))
        write_source(root / "videos" / "v.mp4", size=(96, 162))
        cut(root, short_side=48)
        path = file_of(root, "v", "s00001_0_0_1_0")
        assert Video(path).size == (48, 80)  # 81 is odd
        assert read_numbers(path) == list(range(25, 50)) and Video(path).fps == 25

    def test_small_frames_are_not_enlarged(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_0_0_1_0", 25, 1.0))
        write_source(root / "videos" / "v.mp4")
        cut(root)
        assert Video(file_of(root, "v", "s00001_0_0_1_0")).size == (32, 64)

    def test_decoding_begins_near_the_instance(self, tmp_path, monkeypatch):
        root = annotate(tmp_path, v=("s00001_7_0_7_4", 10, 0.0))  # frames 175 to 184
        write_source(root / "videos" / "v.mp4")
        seen = []
        decoded = Decoder._decoded

        def counted(self):
            for frame in decoded(self):
                seen.append(frame.pts)
                yield frame

        monkeypatch.setattr(Decoder, "_decoded", counted)
        cut(root)
        assert 10 <= len(seen) <= 10 + 12 + 4  # from the key frame before on

    def test_in_several_processes(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_0_0_1_0", 25, 1.0), w=("s00001_0_0_1_0", 25, 2.0))
        for video in "vw":
            write_source(root / "videos" / f"{video}.mp4", 100)
        assert cut_instances(root, workers=2, progress=False).written == 2
        assert read_numbers(file_of(root, "v", "s00001_0_0_1_0")) == list(range(25, 50))
        assert read_numbers(file_of(root, "w", "s00001_0_0_1_0")) == list(range(50, 75))


class TestFrameNumbers:
    TIMES = np.arange(10) / 10

    @pytest.mark.parametrize(
        ("start", "end", "frames", "expected"),
        [
            (0.2, 0.5, 3, [3, 4, 5]),
            (0.2499, 0.5499, 3, [3, 4, 5]),  # nearer to the one before
            (0.2501, 0.5501, 3, [4, 5, 6]),
            (0.9, 1.0, 1, [10]),
            (0.7, 1.2, 5, None),  # begins its last frame at 1.1 s, when the source has ended
            (0.7, 1.08, 4, [8, 9, 10, 10]),
            (5.0, 6.0, 1, None),
        ],
    )
    def test_nearest(self, start, end, frames, expected):
        wanted = Cut(start, end, frames, 256, 1)
        if expected is None:
            with pytest.raises(InputError, match=rf"^ends at 1\.000 s, the instance at {end:.3f} s"):
                frame_numbers(self.TIMES, wanted)
        else:
            assert frame_numbers(self.TIMES, wanted).tolist() == expected

    def test_source_of_one_frame(self):
        assert frame_numbers(np.zeros(1), Cut(0.0, 1.0, 1, 256, 1)).tolist() == [1]

    @pytest.mark.parametrize(
        ("frames", "seconds", "rate"),
        [(60, 2.002, NTSC), (50, 2.0, 25), (1, 1e9, Fraction(1, 1001)), (10**6, 0.001, 1000)],
    )
    def test_rate_of_the_file(self, frames, seconds, rate):
        assert Cut(1.0, 1.0 + seconds, frames, 256, 1).rate == rate


class TestSkipped:
    NAME = "s00001_0_0_1_0"

    def problems(self, root, **options):
        result = cut(root, **options)
        return result, [str(problem) for problem in result.problems]

    def test_each_is_named_and_costs_only_itself(self, tmp_path):
        place = (self.NAME, 25, 1.0)
        root = annotate(
            tmp_path, a=place, gone=place, short=place, empty=place, text=place, untimed=(self.NAME, 25, None)
        )
        for video in ("a", "untimed"):
            write_source(root / "videos" / f"{video}.mp4", 60)
        write_source(root / "videos" / "short.mp4", 40)
        (root / "videos" / "empty.mp4").touch()
        (root / "videos" / "text.mp4").write_text("no video")
        result, told = self.problems(root)
        assert result.written == 1 and len(told) == 5 and all("(skipped: instance)" in line for line in told)
        videos = root / "videos"
        assert f"{videos / 'gone.mp4'}: is missing, so {self.NAME} is not cut: put it there" in told[0]
        assert (
            f"{videos / 'untimed.mp4'}: has no shot times for {self.NAME}: annotate shot_timestamps, or say" in told[1]
        )
        rest = "".join(told[2:])
        assert (
            f"short.mp4: has {self.NAME}, which is not cut: the file ends at 1.600 s, the instance at 2.000 s: " in rest
        )
        assert "the file is empty: replace" in rest and "the file is not a video that can be read: replace" in rest
        assert [path.parent.name for path in (root / "instances").glob("*/*.mp4")] == ["a"]

    def test_damage_before_the_end(self, tmp_path, monkeypatch):
        """The packets are all there, and some cannot be decoded."""
        root = annotate(tmp_path, v=(self.NAME, 25, 1.0))
        write_source(root / "videos" / "v.mp4", 60)
        frame = Decoder.frame
        monkeypatch.setattr(Decoder, "frame", lambda self, number: frame(self, number) if number <= 40 else None)
        result, (told,) = self.problems(root)
        assert (
            f"has {self.NAME}, which is not cut: the file can be decoded to frame 40 only, not to 50: replace" in told
        )
        assert result.written == 0 and list((root / "instances").rglob("*.mp4")) == []

    def test_shots_at_zero(self, tmp_path):
        root = annotate(tmp_path, v=("s00001_1_0_2_0", 25, None), w=("s00001_1_0_2_0", 25, 1.0))
        for video in "vw":
            write_source(root / "videos" / f"{video}.mp4", 80)
        assert cut(root, shots_at_zero=True).written == 2
        assert read_numbers(file_of(root, "v", "s00001_1_0_2_0")) == list(range(25, 50))
        assert read_numbers(file_of(root, "w", "s00001_1_0_2_0")) == list(range(50, 75))  # known times hold

    def test_no_folder_of_videos(self, tmp_path):
        with pytest.raises(InputError, match="videos is missing: put the source videos there as <youtube_id>"):
            cut(annotate(tmp_path, v=(self.NAME, 25, 1.0)))

    def test_no_instance_of_the_subset(self, tmp_path):
        with pytest.raises(InputError, match="has no usable instance of subset val: see tapos check"):
            cut(annotate(tmp_path, v=(self.NAME, 25, 1.0)), subset="val")

    def test_a_source_that_ends_the_process(self, tmp_path):
        done, failed = file_of(tmp_path, "v", "a"), file_of(tmp_path, "v", "b")
        wanted = Cut(0.0, 1.0, 2, 256, 1)
        cutting._write(done, iter([numbered(0), numbered(1)]), wanted)
        result = cutting.CutResult()
        cutting._note(cutting.Job(tmp_path / "v.mp4", {done: wanted, failed: wanted}), Crashed(), result)
        (problem,) = result.problems
        told = "has b, which is not cut: the file ends the process that reads it: replace or remove it"
        assert result.written == 1 and problem.message == told


class TestAgain:
    NAME = "s00001_0_0_1_0"

    @pytest.fixture
    def root(self, tmp_path):
        root = annotate(tmp_path, v=(self.NAME, 25, 1.0), w=(self.NAME, 25, 2.0))
        for video in "vw":
            write_source(root / "videos" / f"{video}.mp4", 100)
        return root

    def test_what_is_whole_stays(self, root):
        cut(root)
        before = {path: path.stat().st_mtime_ns for path in (root / "instances").glob("*/*")}
        result = cut(root)
        assert (result.written, result.known) == (0, 2)
        assert {path: path.stat().st_mtime_ns for path in (root / "instances").glob("*/*")} == before

    def test_goes_on_where_it_was_interrupted(self, root, monkeypatch, find_leftovers):
        write = cutting._write

        def interrupted(path, frames, wanted):
            if path.parent.name == "w":
                raise KeyboardInterrupt
            write(path, frames, wanted)

        monkeypatch.setattr(cutting, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cut(root)
        assert file_of(root, "v", self.NAME).is_file() and not file_of(root, "w", self.NAME).exists()
        (root / "instances" / "w").mkdir()
        (root / "instances" / "w" / f".{self.NAME}.1-abc.partial.mp4").touch()  # of a run that was killed
        monkeypatch.undo()
        result = cut(root)
        assert (result.written, result.known) == (1, 1) and find_leftovers(root) == []

    def test_another_annotation_or_source_is_cut_again(self, root):
        cut(root)
        annotate(root, v=(self.NAME, 25, 1.0), w=(self.NAME, 25, 1.0))
        assert cut(root).written == 1
        assert read_numbers(file_of(root, "w", self.NAME)) == list(range(25, 50))
        write_source(root / "videos" / "v.mp4", 120)
        assert cut(root).written == 1 and cut(root).known == 2

    def test_another_size_is_refused(self, root):
        cut(root, short_side=16)
        with pytest.raises(
            InputError, match="was cut at another size: remove .*instances or repeat with --short-side 16"
        ):
            cut(root)
        assert cut(root, short_side=16).known == 2

    def test_files_of_others_are_left_alone(self, root):
        path = write_source(file_of(root, "v", self.NAME), 25)
        (root / "videos" / "v.mp4").unlink()
        content = path.read_bytes()
        result = cut(root)
        assert (result.written, result.known, len(result.problems)) == (1, 1, 0) and path.read_bytes() == content

    def test_a_broken_file_is_cut_again(self, root):
        cut(root)
        file_of(root, "v", self.NAME).write_bytes(b"half")
        assert cut(root).written == 1
        assert read_numbers(file_of(root, "v", self.NAME)) == list(range(25, 50))

    def test_one_run_at_a_time(self, root):
        (root / "instances").mkdir()
        with (root / "instances" / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(
                InputError, match="instances is used by another run: wait until that has ended, or end it"
            ):
                cut(root)

    def test_full_disk(self, root, little_room, find_leftovers):
        told = "cannot be written .*: make room there, then repeat; what is whole is kept"
        with little_room(), pytest.raises(InputError, match=told):
            cut(root)
        assert find_leftovers(root) == [] and not file_of(root, "v", self.NAME).exists()
        assert cut(root).written == 2
