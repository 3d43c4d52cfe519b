from pathlib import Path

import numpy as np
import pytest
from made_clips import frame_number, make_video

from tpsparse.annotation.clips import clip_lengths, clip_names, write_clips
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError


@pytest.mark.parametrize(
    ("frames", "seconds", "lengths"),
    [
        (100, None, [100]),
        (100, 2.0, [20] * 5),
        (103, 2.0, [20, 21, 20, 21, 21]),
        (29, 2.0, [29]),  # 1.45 clips are 1
        (31, 2.0, [15, 16]),  # 1.55 are 2
        (1, 2.0, [1]),
        (3, 0.01, [1, 1, 1]),
        (0, None, [0]),
    ],
)
def test_lengths_add_up(frames: int, seconds: float | None, lengths: list[int]) -> None:
    assert clip_lengths(frames, 10.0, seconds) == lengths
    assert sum(lengths) == frames


def test_names() -> None:
    assert clip_names("a (1)", 1) == ["a (1)"]
    assert clip_names("a (1)", 2) == ["a (1)_clip001", "a (1)_clip002"]


def test_a_whole_mp4_is_copied_to_the_byte(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in" / "ä (1).mp4")
    write_clips(source, [tmp_path / "out.mp4"], [12])
    assert (tmp_path / "out.mp4").read_bytes() == source.read_bytes()


def numbers(path: Path) -> list[int]:
    return [frame_number(image) for _, image in Video(path).decode()]


def test_clips_hold_exactly_their_frames(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", 11)
    targets = [tmp_path / f"{i}.mp4" for i in range(3)]
    write_clips(source, targets, [3, 4, 4])
    assert [numbers(target) for target in targets] == [[1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert [Video(target).num_frames for target in targets] == [3, 4, 4]
    assert Video(targets[0]).fps == pytest.approx(10)


def test_only_what_is_missing_is_cut(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", 9)
    targets = [tmp_path / f"{i}.mp4" for i in range(3)]
    targets[1].write_text("stays")
    write_clips(source, targets, [3, 3, 3])
    assert targets[1].read_text() == "stays"
    assert numbers(targets[2]) == [7, 8, 9]
    source.unlink()
    write_clips(source, targets, [3, 3, 3])  # nothing to do, so the source is not asked for


def test_another_container_is_encoded_anew(tmp_path: Path) -> None:
    import av

    source = tmp_path / "in.mkv"
    with av.open(str(make_video(tmp_path / "in.mp4", 5))) as old, av.open(str(source), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    write_clips(source, [tmp_path / "out.mp4"], [5])
    assert numbers(tmp_path / "out.mp4") == [1, 2, 3, 4, 5]
    disguised = source.rename(tmp_path / "disguised.mp4")
    write_clips(disguised, [tmp_path / "out2.mp4"], [5])
    assert numbers(tmp_path / "out2.mp4") == [1, 2, 3, 4, 5]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_text("no")
    with pytest.raises(InputError, match="in.mp4 is not a video"):
        write_clips(tmp_path / "in.mp4", [tmp_path / "out.mp4"], [3])
    source = make_video(tmp_path / "short.mp4", 4)
    with pytest.raises(InputError, match="short.mp4 cannot be cut"):
        write_clips(source, [tmp_path / "a.mp4", tmp_path / "b.mp4"], [4, 4])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "in.mp4", "short.mp4"]


def test_greys_are_told_apart() -> None:
    assert [frame_number(np.full((4, 4, 3), 16 + 8 * i)) for i in range(3)] == [1, 2, 3]
