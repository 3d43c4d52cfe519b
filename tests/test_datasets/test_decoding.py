"""Decoding with jumps, against OpenCV from the first frame to the last, in every container and codec at hand.

Each frame carries its number as eight dark or bright blocks, the lowest bit on the left.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tpsparse.datasets import decoding, video
from tpsparse.datasets.decoding import Decoder, Timeline
from tpsparse.datasets.video import FrameStore, Video, count_decoded, examine_video

COUNT, SIZE, BITS = 40, (96, 128), 8
GROUPS = {"g": "12", "bf": "3"}
TIMES = np.cumsum(np.random.default_rng(0).integers(10, 60, COUNT)).tolist()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(video, "FRAMES", FrameStore(0))


def stamped(number, size=SIZE):
    height, width = size
    image = np.full((height, width, 3), 90, np.uint8)
    colours = np.random.default_rng(number).integers(40, 200, (6, 8, 3), dtype=np.uint8)
    image[height // 2 :] = cv2.resize(colours, (width, height - height // 2))
    for bit in range(BITS):
        left, right = bit * width // BITS + 2, (bit + 1) * width // BITS - 2
        image[4 : height // 2 - 4, left:right] = 230 if number >> bit & 1 else 20
    return image


def stamp(image):
    height, width = image.shape[:2]
    columns = np.linspace(0, width, BITS + 1)[:-1] + width / BITS / 2
    row = image[height // 4].mean(axis=-1)
    return sum(int(row[int(column)] > 120) << bit for bit, column in enumerate(columns))


def write(path, codec="libx264", *, count=COUNT, size=SIZE, pix_fmt="yuv420p", options=GROUPS, times=None, **container):
    """A video of stamped frames, with an audio track where ``audio`` is given; ``times`` are in 1/600 s."""
    audio = container.pop("audio", False)
    with av.open(str(path), "w", options=container) as file:
        stream = file.add_stream(codec, rate=30, options={"threads": "1", **options})
        (stream.height, stream.width), stream.pix_fmt = size, pix_fmt
        if times:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 600)
        sound = file.add_stream("aac", rate=44100) if audio else None
        for number in range(1, count + 1):
            frame = av.VideoFrame.from_ndarray(stamped(number, size), format="rgb24").reformat(format=pix_fmt)
            if times:
                frame.pts, frame.time_base = times[number - 1], Fraction(1, 600)
            file.mux(stream.encode(frame))
            if sound:
                file.mux(sound.encode(silence(number)))
        for encoder in (stream, sound) if sound else (stream,):
            file.mux(encoder.encode(None))
    return path


def silence(number):
    frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
    frame.planes[0].update(bytes(4096))
    frame.rate, frame.pts = 44100, 1024 * number
    return frame


def copy(source, target, *, keep=lambda number, packet: True, spoil=(), shift=0):
    """Copy packets, numbered from 1, without encoding; those in ``spoil`` are made useless; ``shift`` is in frames."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        out = new.add_stream_from_template(stream)
        step = int(Fraction(1, 30) / stream.time_base)
        packets = [packet for packet in old.demux(stream) if packet.size]
        for number, packet in enumerate(packets, 1):
            if not keep(number, packet):
                continue
            if number in spoil:
                useless = av.Packet(b"\xff" * packet.size)
                useless.pts, useless.dts, useless.time_base = packet.pts, packet.dts, packet.time_base
                useless.is_keyframe, packet = packet.is_keyframe, useless
            packet.pts, packet.dts, packet.stream = packet.pts - shift * step, packet.dts - shift * step, out
            new.mux(packet)
    return target


def turn(source, target, angle):
    """Write a turn into the matrix of the track header (ISO/IEC 14496-12, 8.3.2): nine numbers, 36 bytes into it."""
    content = bytearray(source.read_bytes())
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[angle]
    matrix = (cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", content, content.index(b"tkhd") + 8 + 36, *matrix)
    target.write_bytes(content)
    return target


def by_opencv(path):
    """OpenCV's frames as RGB. Release 4.11 alone does not turn pictures upright unless it is told to."""
    capture = cv2.VideoCapture(str(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1].astype(int))
    return frames, capture.get(cv2.CAP_PROP_FPS)


def check(path, *, bound=0.0, count=COUNT):
    """Everything equals OpenCV: facts, a pass over the video, and single frames asked for in any order."""
    expected, fps = by_opencv(path)
    assert len(expected) == count  # else the case is not what it is meant to be
    whole = Video(path)
    assert (whole.num_frames, count_decoded(path)) == (count, count)
    assert whole.size == expected[0].shape[:2] and whole.fps == pytest.approx(fps)
    passed = [frame for _, frame in whole.decode()]
    assert [stamp(frame) for frame in passed] == [stamp(frame) for frame in expected]
    assert max(np.abs(frame - other).mean() for frame, other in zip(passed, expected)) <= bound
    single = Video(path, whole.facts._replace(num_frames=count))
    for number in np.random.default_rng(0).permutation(count)[:15] + 1:
        np.testing.assert_array_equal(single.frames([number])[0], passed[number - 1])
    picked = sorted(np.random.default_rng(1).permutation(count)[: count // 3 + 1] + 1)
    np.testing.assert_array_equal(whole.frames(picked), np.stack([passed[number - 1] for number in picked]))


CASES = {
    "b-frames.mp4": dict(),
    "variable frame rate.mp4": dict(times=TIMES),
    "variable frame rate.mkv": dict(times=TIMES),
    "audio.mp4": dict(audio=True),
    "audio (ton, ä).mkv": dict(audio=True),
    "no duration.webm": dict(codec="libvpx-vp9", options={"g": "12"}, live="1"),
    "no duration.mkv": dict(live="1"),
    "fragments.mp4": dict(movflags="frag_keyframe+empty_moov"),
    "open groups.mp4": dict(options={"x264-params": "keyint=12:open-gop=1:scenecut=0:bframes=3"}),
    "intra refresh.mp4": dict(options={"g": "12", "x264-params": "intra-refresh=1"}),
    "gray.mp4": dict(pix_fmt="gray"),
    "full range.mp4": dict(pix_fmt="yuvj420p"),
    "odd size.mp4": dict(pix_fmt="yuv444p", size=(97, 131)),
    "odd size.webm": dict(codec="libvpx-vp9", options={"g": "12"}, size=(97, 131)),
    "rgb.mp4": dict(codec="libx264rgb", pix_fmt="rgb24"),
    "hidden frames.webm": dict(codec="libvpx", options={"g": "12", "auto-alt-ref": "1", "lag-in-frames": "12"}),
    "hevc.mp4": dict(codec="libx265", options={"x265-params": "keyint=12:bframes=3:log-level=none"}),
    "mpeg4.avi": dict(codec="mpeg4", options={"g": "12", "bf": "2"}),
    "times not stored.avi": dict(),
    "mjpeg.mov": dict(codec="mjpeg", pix_fmt="yuvj422p", options={}),
    "quicktime.mov": dict(),
    "one frame.mp4": dict(count=1),
    "two frames.mp4": dict(count=2),
}


class TestAgainstOpenCV:
    @pytest.mark.parametrize("name", CASES)
    def test_file(self, tmp_path, name):
        check(write(tmp_path / name, **CASES[name]), count=CASES[name].get("count", COUNT))

    # swscale of FFmpeg 5, which OpenCV brings, and of FFmpeg 8 round differently, and treat fields differently.
    @pytest.mark.parametrize(
        ("pix_fmt", "options"), [("yuv420p10le", GROUPS), ("yuv420p", {**GROUPS, "x264-params": "tff=1"})]
    )
    def test_colours_nearly_equal(self, tmp_path, pix_fmt, options):
        check(write(tmp_path / "a.mp4", pix_fmt=pix_fmt, options=options), bound=3.0)

    @pytest.mark.parametrize("angle", [90, 180, 270])
    def test_turned(self, tmp_path, angle):
        path = turn(write(tmp_path / "a.mp4"), tmp_path / "turned.mp4", angle)
        check(path)
        assert Video(path).size == (SIZE if angle == 180 else SIZE[::-1])
        back = np.rot90(Video(path).frames([5])[0], angle // 90)
        assert stamp(back) == 5

    @pytest.mark.parametrize("audio", [False, True])
    @pytest.mark.parametrize("shift", [1, 5, 7, 13])
    def test_edit_list(self, tmp_path, shift, audio):
        # Frames before time 0 are hidden: those of the first and second group of twelve.
        path = copy(write(tmp_path / "a.mp4", audio=audio), tmp_path / "cut.mp4", shift=shift)
        check(path, count=COUNT - shift)
        assert stamp(Video(path).frames([1])[0]) == 1 + shift

    def test_last_frame_cannot_be_decoded(self, tmp_path):
        path = copy(write(tmp_path / "a.webm", "libvpx-vp9", options={"g": "12"}), tmp_path / "b.webm", spoil={COUNT})
        check(path, count=COUNT - 1)
        assert examine_video(path).num_frames == COUNT

    def test_last_packet_of_b_frames_cannot_be_decoded(self, tmp_path):
        check(copy(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", spoil={COUNT}), count=37)

    def test_first_key_frame_is_missing(self, tmp_path):
        path = copy(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", keep=lambda number, _: number > 1)
        check(path, count=28)  # of the first group nothing can be shown
        assert stamp(Video(path).frames([1])[0]) == 13

    def test_frames_that_lean_on_a_group_cut_away(self, tmp_path):
        source = write(tmp_path / "a.mp4", options={"x264-params": "keyint=12:open-gop=1:scenecut=0:bframes=3"})
        check(copy(source, tmp_path / "b.mp4", keep=lambda number, _: number > 12), count=16)

    def test_packet_dropped_on_the_way(self, tmp_path):
        check(copy(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", keep=lambda number, _: number != 20), count=39)

    def test_size_changes_on_the_way(self, tmp_path):
        # OpenCV gives frames of two sizes, which cannot be stacked; the first frame's size holds.
        for name, size in (("a.h264", SIZE), ("b.h264", (64, 64))):
            write(tmp_path / name, count=5, size=size)
        path = tmp_path / "both.h264"
        path.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
        frames = Video(path).frames(range(1, 11))
        assert frames.shape == (10, *SIZE, 3)
        assert [stamp(frame) for frame in frames] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]


SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"


@pytest.mark.parametrize(("name", "numbers"), [("demo_skeleton.mp4", (2, 40, 72)), ("sports2d.mp4", (3, 61, 66))])
def test_real_clips(name, numbers):
    """H.264 at an uneven rate, and VP9 with sound and a key frame every 60."""
    if not (SHARED / name).is_file():
        pytest.skip(f"{SHARED / name} is not here")
    capture = cv2.VideoCapture(str(SHARED / name))
    found = Video(SHARED / name).frames(numbers)
    for number in range(1, max(numbers) + 1):
        capture.grab()
        if number in numbers:
            np.testing.assert_array_equal(found[numbers.index(number)], capture.retrieve()[1][..., ::-1])


class TestBrokenInside:
    @pytest.fixture
    def broken(self, tmp_path):
        """The key frame of the second group is missing: nothing of that group can be decoded."""
        return copy(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", keep=lambda number, _: number != 13)

    def test_only_decoding_tells(self, broken):
        assert (examine_video(broken).num_frames, count_decoded(broken), len(by_opencv(broken)[0])) == (39, 30, 30)

    def test_counted_frames_are_opencvs(self, broken):
        expected, _ = by_opencv(broken)
        single = Video(broken, examine_video(broken)._replace(num_frames=30))
        assert [stamp(single.frames([number])[0]) for number in (30, 1, 25)] == [
            stamp(expected[number - 1]) for number in (30, 1, 25)
        ]

    def test_reading_ends_where_opencvs_does(self, tmp_path):
        path = copy(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", spoil={20})
        assert count_decoded(path) == len(by_opencv(path)[0]) < 20


class TestJumps:
    def test_far_frames_are_reached_without_those_between(self, tmp_path, monkeypatch):
        path = write(tmp_path / "a.mp4", options={"g": "10", "bf": "0", "sc_threshold": "0"})
        decoded = []
        inner = Decoder._decoded
        monkeypatch.setattr(Decoder, "_decoded", lambda self: (decoded.append(1) or frame for frame in inner(self)))
        timeline = decoding.scan_video(path)[1]
        assert timeline.keys.tolist() == [1, 11, 21, 31]
        with Decoder(path, timeline) as decoder:
            # 2 from the start, 33 from 31, 36 on; a jump from 1 to 5 would not pay.
            assert [stamp(decoder.to_rgb(decoder.frame(number), SIZE)) for number in (2, 33, 36)] == [2, 33, 36]
        assert len(decoded) == 2 + 3 + 3

    def test_wrong_timeline_is_found_out(self, tmp_path):
        path = write(tmp_path / "a.mp4")
        right = decoding.scan_video(path)[1]
        wrong = Timeline(range(right.times.start + 1, right.times.stop + 1, right.times.step), right.keys)
        with Decoder(path, wrong) as decoder:
            assert stamp(decoder.to_rgb(decoder.frame(30), SIZE)) == 30
            assert decoder.timeline is None

    def test_beyond_the_end(self, tmp_path):
        path = write(tmp_path / "a.mp4")
        with Decoder(path, decoding.scan_video(path)[1]) as decoder:
            assert decoder.frame(COUNT + 1) is None and decoder.number == COUNT


class TestTimeline:
    def test_steady_times_take_no_memory(self):
        timeline = Timeline.of([0, 30, 10, 20], [0, 20])  # frames 1 4 2 3 of the file
        assert timeline.times == range(0, 31, 10) and timeline.keys.tolist() == [1, 3]

    def test_unsteady(self):
        timeline = Timeline.of([0, 7, 30], [30])
        assert timeline.times.tolist() == [0, 7, 30] and timeline.keys.tolist() == [3]

    def test_close_at_first_and_far_later(self):
        assert Timeline.of([0, 1, 10**15], []).number(10**15) == 3

    @pytest.mark.parametrize(("time", "number"), [(0, 1), (7, 2), (30, 3), (-1, 0), (8, 0), (31, 0), (None, 0)])
    def test_number(self, time, number):
        assert Timeline.of([0, 7, 30], []).number(time) == number

    @pytest.mark.parametrize(("number", "key"), [(1, 0), (2, 2), (3, 2), (4, 4), (99, 4)])
    def test_key_before(self, number, key):
        assert Timeline.of([0, 1, 2, 3, 4], [1, 3]).key_before(number) == key

    def test_one_frame(self):
        assert Timeline.of([5], [5]).number(5) == 1


def test_path_with_a_colon(tmp_path, monkeypatch):
    write(tmp_path / "12:30.mp4", count=3)
    monkeypatch.chdir(tmp_path)
    assert examine_video(Path("12:30.mp4")).num_frames == 3
