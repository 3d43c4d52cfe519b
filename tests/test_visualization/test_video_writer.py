from __future__ import annotations

import av
import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy
from tpsparse.visualization import draw_parse, write_overlay, write_video

TAXONOMY = Taxonomy(parts=("head",), states=("none", "turn"), actions=("hurling_(sport)", "snatch"))


def plain(value: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def read(path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


@pytest.mark.parametrize("size", [(48, 64), (47, 63), (2, 2), (1, 1)])
def test_round_trip_keeps_count_order_and_evens_the_size(tmp_path, size):
    path = tmp_path / "new" / "a.mp4"
    write_video(path, (plain(value, *size) for value in (20, 120, 220)), fps=25)
    decoded = read(path)
    assert len(decoded) == 3
    assert decoded[0].shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    for frame, value in zip(decoded, (20, 120, 220)):
        assert np.abs(frame.astype(int) - value).max() <= 4
    assert list(path.parent.iterdir()) == [path]


def test_one_frame_is_a_video(tmp_path):
    write_video(tmp_path / "a.mp4", [plain(50)], fps=1)
    assert len(read(tmp_path / "a.mp4")) == 1


@pytest.mark.parametrize(("fps", "rate"), [(25, 25), (29.97002997, 30000 / 1001), (np.float32(12.5), 12.5), (1, 1)])
def test_stream_is_what_browsers_play(tmp_path, fps, rate):
    write_video(tmp_path / "a.mp4", [plain(50)] * 10, fps=fps)
    with av.open(str(tmp_path / "a.mp4")) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.average_rate) == pytest.approx(rate, rel=1e-6)
        times = [frame.time for frame in file.decode(stream)]
    assert np.diff(times) == pytest.approx(np.full(9, 1 / rate), abs=1e-4)


def test_index_comes_before_the_pictures(tmp_path):
    write_video(tmp_path / "a.mp4", [plain(50)] * 3, fps=25)
    content = (tmp_path / "a.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("colour", [(200, 30, 30), (30, 200, 30), (30, 30, 200), (255, 255, 255), (0, 0, 0)])
def test_colours_survive_and_the_matrix_is_named(tmp_path, colour):
    write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), colour, np.uint8)] * 3, fps=25)
    with av.open(str(tmp_path / "a.mp4")) as file:
        frame = next(file.decode(video=0))
    assert int(frame.colorspace) == 1  # BT.709
    assert np.abs(frame.to_ndarray(format="rgb24")[24, 32].astype(int) - colour).max() <= 6


def failing_frames():
    yield plain(1)
    yield plain(2)
    raise RuntimeError("the decoder gave up")


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        (failing_frames(), RuntimeError),
        ([plain(1), plain(1, 50, 64)], ValueError),
        ([plain(1), plain(1).astype(float)], ValueError),
        ([plain(1)[..., 0]], ValueError),
        ([], ValueError),
    ],
)
def test_failure_leaves_nothing_and_keeps_the_older_file(tmp_path, frames, error):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    with pytest.raises(error):
        write_video(path, frames, fps=25)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fps", [0, -1, 1e-9, np.nan, np.inf])
def test_impossible_rates(tmp_path, fps):
    with pytest.raises(ValueError, match="fps"):
        write_video(tmp_path / "a.mp4", [plain(1)], fps=fps)


def parse_of_frames(**changes) -> VideoParse:
    frames = [FrameParse(3, [[4, 4, 20, 40]]), FrameParse(5, [[30, 4, 60, 40]])]
    given = {"size": (48, 64), "num_frames": 6, "frames": frames, **changes}
    return VideoParse("clip", **given)


def test_overlay_holds_the_latest_parse(tmp_path):
    parse = parse_of_frames()
    write_overlay(tmp_path / "a.mp4", (plain(90) for _ in range(6)), parse, TAXONOMY, fps=25)
    first, second = parse.frames
    held = [FrameParse(1, []), FrameParse(1, []), first, first, second, second]
    decoded = read(tmp_path / "a.mp4")
    assert len(decoded) == 6
    for frame, expected in zip(decoded, held):
        picture = draw_parse(plain(90), expected, TAXONOMY).astype(int)
        others = [draw_parse(plain(90), other, TAXONOMY).astype(int) for other in held if other is not expected]
        error = np.abs(frame[: len(picture)] - picture).mean()
        wrong = [np.abs(frame[: len(picture)] - o).mean() for o in others if (o != picture).any()]
        assert error < 3 and error < 0.5 * min(wrong)


def test_overlay_has_a_header_with_the_action(tmp_path):
    scores = {"action": np.array([0.25, 0.75])}
    write_overlay(tmp_path / "a.mp4", [plain(90)], parse_of_frames(action_scores=scores), TAXONOMY, fps=25)
    expected = draw_parse(plain(90), FrameParse(1, []), TAXONOMY, action="snatch", action_score=0.75).astype(int)
    decoded = read(tmp_path / "a.mp4")[0]
    assert np.abs(decoded[: len(expected)] - expected).mean() < 3


def test_overlay_of_a_video_without_parse(tmp_path):
    write_overlay(tmp_path / "a.mp4", [plain(90)] * 2, VideoParse("clip"), TAXONOMY, fps=25)
    assert len(read(tmp_path / "a.mp4")) == 2


def test_overlay_takes_frames_one_at_a_time(tmp_path, monkeypatch):
    taken, drawn = [], []

    def frames():
        for number in range(5):
            taken.append(number)
            yield plain(90)

    def draw(*args, **kwargs):
        drawn.append(len(taken))
        return plain(90)

    monkeypatch.setattr("tpsparse.visualization.video_writer.draw_parse", draw)
    write_overlay(tmp_path / "a.mp4", frames(), parse_of_frames(), TAXONOMY, fps=25)
    assert drawn == [1, 2, 3, 4, 5]


def test_overlay_on_frames_of_another_size_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"parsed at \(48, 64\) and frame 1 is \(24, 32\)"):
        write_overlay(tmp_path / "a.mp4", [plain(90, 24, 32)], parse_of_frames(), TAXONOMY, fps=25)
    assert list(tmp_path.iterdir()) == []


def test_overlay_with_other_actions_is_refused(tmp_path):
    parse = parse_of_frames(action_scores={"action": np.ones(24)})
    with pytest.raises(InputError, match="24 actions and the taxonomy names 2"):
        write_overlay(tmp_path / "a.mp4", [plain(90)], parse, TAXONOMY, fps=25)
