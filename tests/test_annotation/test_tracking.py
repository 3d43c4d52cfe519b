from pathlib import Path

import bodies
import numpy as np
import pytest

from tpsparse.annotation.poses import Pose
from tpsparse.annotation.tracking import link_tracks, load_tracks, save_tracks
from tpsparse.errors import InputError


def stand(x: float, *, score: float = 1.0) -> Pose:
    return bodies.pose(bodies.hanging(), at=(x, 150), score=score)


def hip_x(track, frame: int) -> float:
    i = list(track.frames).index(frame)
    return float(track.points[i, [23, 24], 0].mean())


def test_nobody() -> None:
    assert link_tracks({}) == []
    assert link_tracks({1: [], 2: []}) == []


def test_two_who_swap_their_order_in_the_list_keep_their_numbers() -> None:
    found = {1: [stand(100), stand(400)], 2: [stand(405), stand(105)], 3: [stand(110), stand(410)]}
    left, right = link_tracks(found)
    assert (left.number, right.number) == (1, 2)
    assert [hip_x(left, f) for f in (1, 2, 3)] == pytest.approx([100, 105, 110])
    assert [hip_x(right, f) for f in (1, 2, 3)] == pytest.approx([400, 405, 410])


def test_the_sum_of_distances_decides_not_the_nearest_first() -> None:
    # The person at 100 moved to 120 and the one at 130 to 150. Greedy pairing would join 130 with 120.
    first, second = link_tracks({1: [stand(100), stand(130)], 2: [stand(120), stand(150)]})
    assert (hip_x(first, 2), hip_x(second, 2)) == (pytest.approx(120), pytest.approx(150))


def test_numbers_follow_the_first_frame_then_the_place() -> None:
    tracks = link_tracks({1: [stand(300), stand(100)], 2: [stand(500), stand(300), stand(100)]})
    assert [(t.number, int(t.frames[0]), hip_x(t, 2)) for t in tracks] == [
        (1, 1, pytest.approx(100)),
        (2, 1, pytest.approx(300)),
        (3, 2, pytest.approx(500)),
    ]


def test_a_gap_is_bridged_and_filled() -> None:
    found = {1: [stand(100, score=1.0)], 2: [], 3: [], 4: [stand(130, score=0.4)]}
    (track,) = link_tracks(found, max_gap=2)
    assert track.frames.tolist() == [1, 2, 3, 4]
    assert track.seen.tolist() == [True, False, False, True]
    assert [hip_x(track, f) for f in (1, 2, 3, 4)] == pytest.approx([100, 110, 120, 130])
    assert track.scores.tolist() == pytest.approx([1.0, 0.8, 0.6, 0.4])


def test_a_gap_that_is_a_frame_too_long_ends_the_track() -> None:
    found = {1: [stand(100)], 2: [], 3: [], 4: [stand(100)]}
    assert [t.frames.tolist() for t in link_tracks(found, max_gap=1)] == [[1], [4]]


def test_frames_that_were_not_looked_at_are_filled() -> None:
    (track,) = link_tracks({1: [stand(100)], 6: [stand(110)], 9: [stand(116)]})
    assert track.frames.tolist() == list(range(1, 10))
    assert [hip_x(track, f) for f in (2, 7)] == pytest.approx([102, 112])
    assert track.seen.nonzero()[0].tolist() == [0, 5, 8]


def test_filled_landmarks_are_as_visible_as_the_less_visible_end() -> None:
    hidden = stand(100)
    hidden = Pose(hidden.points, hidden.world, np.full(33, 0.2), 1.0)
    (track,) = link_tracks({1: [stand(100)], 2: [], 3: [hidden]})
    assert track.visibility[:, 0].tolist() == pytest.approx([1.0, 0.2, 0.2])


def test_reach_is_a_quarter_of_the_body_height() -> None:
    # 175 pixels tall. The sides of the boxes say less: half the distance, times 1.5.
    near, far = 0.25 * 175 / 0.75 - 1, 0.25 * 175 / 0.75 + 1
    assert len(link_tracks({1: [stand(100)], 2: [stand(100 + near)]})) == 1
    assert len(link_tracks({1: [stand(100)], 2: [stand(100 + far)]})) == 2


def test_somebody_out_of_reach_is_not_taken_to_spare_another() -> None:
    tracks = link_tracks({1: [stand(100)], 2: [stand(300), stand(102)]})
    assert [(t.number, t.frames.tolist()) for t in tracks] == [(1, [1, 2]), (2, [2])]


def test_short_tracks_are_dropped_and_numbers_close_up() -> None:
    found = {1: [stand(100), stand(400)], 2: [stand(400)], 3: [stand(400)]}
    (track,) = link_tracks(found, min_seen=2)
    assert (track.number, hip_x(track, 1)) == (1, pytest.approx(400))
    assert len(link_tracks(found, min_seen=1)) == 2
    assert link_tracks(found, min_seen=4) == []


def test_tracks_come_back_from_a_file(tmp_path: Path) -> None:
    tracks = link_tracks({3: [stand(100), stand(300)], 5: [stand(101)]})
    path = tmp_path / "zwei (Männer) 1.npz"
    save_tracks(path, tracks)
    read = load_tracks(path)
    assert [t.number for t in read] == [1, 2]
    for ours, theirs in zip(tracks, read):
        for name in ("frames", "points", "world", "visibility", "scores", "seen"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    save_tracks(path, [])
    assert load_tracks(path) == []
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(InputError, match=r"tracks.npz cannot be read .*: remove it"):
        load_tracks(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_tracks(tmp_path / "none.npz")
