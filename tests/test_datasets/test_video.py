"""Frames by number, against OpenCV read from the first frame to the last."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from tpsparse.datasets import decoding
from tpsparse.datasets import video as video_module
from tpsparse.datasets.video import FrameStore, Video, VideoFacts, count_decoded, examine_video, frames_of, open_video
from tpsparse.errors import InputError

COUNT = 30


def noisy_frames(drawn, count=COUNT):
    """Frames that all differ and do not compress to nothing."""
    rng = np.random.default_rng(0)
    frames = [drawn.draw_frame("push_up", number % 12).astype(int) for number in range(count)]
    return [np.clip(frame + rng.integers(-25, 25, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def decoded_in_order(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames)


@pytest.fixture(scope="module")
def clip(drawn, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "noise.mp4"
    drawn.encode(path, noisy_frames(drawn))
    return path


@pytest.fixture(params=["kept whole", "too large to keep"])
def store(request, monkeypatch):
    """A clip of 30 x 64 x 96 x 3 bytes = 553 kB is kept when it is at most a quarter of the room."""
    room = 4 * COUNT * 64 * 96 * 3 - (request.param != "kept whole")
    monkeypatch.setattr(video_module, "FRAMES", FrameStore(room))
    return request.param


class TestVideo:
    def test_what_the_file_says(self, clip, drawn):
        video = Video(clip)
        assert (video.name, video.size, video.num_frames, video.fps) == ("noise", drawn.SIZE, COUNT, drawn.FPS)

    @pytest.mark.parametrize(
        "numbers",
        [[1], [COUNT], list(range(1, COUNT + 1)), [7, 3, 29], [5, 5, 2, 5], [np.int64(4), np.int64(9)]],
        ids=["first", "last", "all", "unordered", "repeated", "numpy"],
    )
    def test_frames_equal_sequential_decoding(self, clip, store, numbers):
        expected = decoded_in_order(clip)[np.array(numbers) - 1]
        np.testing.assert_array_equal(Video(clip).frames(numbers), expected)

    def test_no_number_gives_no_frame(self, clip, store):
        assert Video(clip).frames([]).shape == (0, 64, 96, 3)

    @pytest.mark.parametrize(
        ("number", "told"), [(0, "numbered from 1"), (-3, "frame -3"), (COUNT + 1, "ends after frame 30")]
    )
    def test_number_out_of_range(self, clip, store, number, told):
        with pytest.raises(InputError, match=told) as error:
            Video(clip).frames([1, number])
        assert str(error.value).startswith(str(clip)) and "\n" not in str(error.value)

    @pytest.mark.parametrize("room", [1, 4, 5, 100])
    def test_windows_equal_whole(self, clip, store, room):
        numbers = list(range(2, COUNT, 3))  # ten frames
        windows = list(Video(clip).windows(numbers, room))
        sizes = [len(window) for window in windows]
        assert sizes == [room] * (10 // room) + [10 % room] * bool(10 % room)
        np.testing.assert_array_equal(np.concatenate(windows), decoded_in_order(clip)[np.array(numbers) - 1])

    def test_windows_of_nothing(self, clip, store):
        assert list(Video(clip).windows([], 4)) == []

    def test_windows_beyond_the_end(self, clip, store):
        with pytest.raises(InputError, match=f"frame {COUNT + 5} was asked for"):
            list(Video(clip).windows([1, COUNT, COUNT + 5], 2))

    def test_frames_of(self, clip):
        np.testing.assert_array_equal(np.stack(list(frames_of(Video(clip)))), decoded_in_order(clip))

    def test_frames_that_an_edit_list_hides_do_not_count(self, clip, tmp_path):
        # Cutting without encoding leaves frames before the cut in the file and an edit list that hides them.
        path = tmp_path / "cut.mp4"
        with av.open(str(clip)) as source, av.open(str(path), "w") as target:
            stream = source.streams.video[0]
            copy = target.add_stream_from_template(stream)
            shift = int(7 / 10 / float(stream.time_base))
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                    target.mux(packet)
        video = Video(path)
        assert video.num_frames == len(decoded_in_order(path)) < COUNT
        assert len(video.frames([1, video.num_frames])) == 2

    def test_facts_spare_the_examination(self, clip, store, monkeypatch):
        facts = examine_video(clip)
        assert facts == VideoFacts(COUNT, (64, 96), 10.0)
        examined = []
        inner = video_module.scan_video
        monkeypatch.setattr(video_module, "scan_video", lambda path: examined.append(path) or inner(path))
        video_module._read_order.cache_clear()
        expected = decoded_in_order(clip)
        for number in (3, 20, 3):
            video = Video(clip, facts)
            assert (video.size, video.num_frames, video.fps) == (facts.size, COUNT, 10.0)
            np.testing.assert_array_equal(video.frames([number])[0], expected[number - 1])
        assert len(examined) <= 1  # the order of the frames is read once a process, and not where all are kept

    @pytest.mark.parametrize("listed", [COUNT - 4, COUNT + 4])
    def test_facts_that_are_not_the_files(self, clip, listed, monkeypatch):
        monkeypatch.setattr(video_module, "FRAMES", FrameStore(0))
        video = Video(clip, examine_video(clip)._replace(num_frames=listed))
        np.testing.assert_array_equal(video.frames([25, 9]), decoded_in_order(clip)[[24, 8]])
        with pytest.raises(InputError, match="ends after frame 30"):
            video.frames([COUNT + 1])

    def test_counting(self, clip):
        assert count_decoded(clip) == COUNT

    def test_examining_decodes_little(self, clip, monkeypatch):
        decoded = []
        inner = decoding._first_frame
        monkeypatch.setattr(decoding, "_first_frame", lambda packet: decoded.append(1) or inner(packet))
        monkeypatch.setattr(decoding, "count_decoded", lambda path: pytest.fail("decoded to the end"))
        assert examine_video(clip).num_frames == COUNT
        assert 1 <= len(decoded) <= 5  # a B-frame is shown after its neighbours were decoded


class TestBadFiles:
    def refused(self, path) -> str:
        with pytest.raises(InputError) as error:
            Video(path)
        assert str(error.value).startswith(f"{path} ") and "\n" not in str(error.value)
        return str(error.value)

    def test_missing(self, tmp_path):
        assert "is missing" in self.refused(tmp_path / "absent.mp4")

    def test_empty(self, tmp_path):
        (tmp_path / "a.mp4").touch()
        assert "is empty: replace or remove it" in self.refused(tmp_path / "a.mp4")

    def test_not_a_video(self, tmp_path):
        (tmp_path / "a.mp4").write_text("no video at all\n" * 100)
        assert "is not a video" in self.refused(tmp_path / "a.mp4")

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
    def test_truncated_with_a_complete_header(self, clip, tmp_path, share):
        content = clip.read_bytes()
        (tmp_path / "a.mp4").write_bytes(content[: int(len(content) * share)])
        assert "is truncated" in self.refused(tmp_path / "a.mp4")

    def test_truncated_without_its_header(self, drawn, tmp_path):
        drawn.encode(tmp_path / "whole.mp4", noisy_frames(drawn), index_in_front=False)
        content = (tmp_path / "whole.mp4").read_bytes()
        (tmp_path / "a.mp4").write_bytes(content[: len(content) // 2])
        assert "replace or remove it" in self.refused(tmp_path / "a.mp4")

    def test_sound_alone(self, tmp_path):
        with av.open(str(tmp_path / "a.mp4"), "w") as file:
            stream = file.add_stream("aac", rate=44100)
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            frame.planes[0].update(bytes(4096))
            frame.rate = 44100
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        assert "is not a video" in self.refused(tmp_path / "a.mp4")

    def test_no_frame_that_can_be_decoded(self, clip, tmp_path):
        with av.open(str(clip)) as source, av.open(str(tmp_path / "a.mp4"), "w") as target:
            copy = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    useless = av.Packet(b"\xff" * packet.size)
                    useless.pts, useless.dts, useless.time_base = packet.pts, packet.dts, packet.time_base
                    useless.is_keyframe, useless.stream = packet.is_keyframe, copy
                    target.mux(useless)
        assert "has no frame that can be decoded" in self.refused(tmp_path / "a.mp4")

    @pytest.mark.parametrize("look", [examine_video, count_decoded])
    def test_every_way_of_looking_refuses(self, tmp_path, look):
        (tmp_path / "a.mp4").write_bytes(b"x" * 999)
        for name, told in (("a.mp4", "is not a video"), ("b.mp4", "is missing")):
            with pytest.raises(InputError, match=told):
                look(tmp_path / name)

    def test_file_that_went_after_it_was_examined(self, clip, tmp_path):
        with pytest.raises(InputError, match="is missing: check the path"):
            Video(tmp_path / "gone.mp4", examine_video(clip)).frames([1])

    def test_name_with_spaces(self, tmp_path):
        (tmp_path / "my videos").mkdir()
        assert "is missing" in self.refused(tmp_path / "my videos" / "a b.mp4")


def test_open_video_examines_a_file_once(clip):
    assert open_video(clip) is open_video(clip)


class TestFrameStore:
    def make(self, drawn, folder, names, count=4):
        for name in names:
            drawn.encode(folder / f"{name}.mp4", noisy_frames(drawn, count))
        return [Video(folder / f"{name}.mp4") for name in names]

    def test_least_recently_used_is_dropped(self, drawn, tmp_path):
        size = 4 * 64 * 96 * 3
        store = FrameStore(4 * size)  # room for four
        videos = self.make(drawn, tmp_path, "abcde")
        for video in videos[:4]:
            store.get(video)
        store.get(videos[0])
        store.get(videos[4])
        assert [path.stem for path in store._held] == ["c", "d", "a", "e"]

    def test_second_asking_keeps_what_the_first_would_have(self, drawn, tmp_path):
        size = 4 * 64 * 96 * 3
        store = FrameStore(4 * size)  # room for four
        videos = self.make(drawn, tmp_path, "abcde")
        assert store.ask(videos[0]) is None
        assert len(store.ask(videos[0])) == 4  # asked again
        assert len(store.ask(videos[0])) == 4  # held
        assert [store.ask(video) for video in videos[1:]] == [None] * 4
        assert len(store.ask(videos[1])) == 4

    def test_asking_again_too_late(self, drawn, tmp_path):
        size = 4 * 64 * 96 * 3
        store = FrameStore(4 * size)
        videos = self.make(drawn, tmp_path, "abcde")
        # After four others the first would have been dropped.
        assert [store.ask(video) for video in [*videos, videos[0]]] == [None] * 6

    def test_too_large_is_never_kept(self, drawn, tmp_path):
        [video] = self.make(drawn, tmp_path, "a")
        store = FrameStore(4 * 4 * 64 * 96 * 3 - 1)
        assert [store.ask(video) for _ in range(3)] == [None] * 3

    def test_a_quarter_of_the_room_is_the_limit(self, drawn, tmp_path):
        size = 4 * 64 * 96 * 3
        [video] = self.make(drawn, tmp_path, "a")
        assert FrameStore(4 * size - 1).get(video) is None
        kept = FrameStore(4 * size).get(video)
        assert kept is not None and kept.shape == (4, 64, 96, 3)
