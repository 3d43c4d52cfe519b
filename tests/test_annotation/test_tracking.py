from pathlib import Path

import bodies
import numpy as np
import pytest

from tpsparse.annotation.tracking import link_tracks, load_tracks, save_tracks
from tpsparse.errors import InputError
from tpsparse.poses.landmarks import Pose


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


def lying(x: float) -> Pose:
    """As tall as :func:`stand` but level, so that landmarks and boxes of the two are far from each other."""
    return bodies.pose(bodies.hanging()[:, [1, 0, 2]], at=(x, 150))


def test_two_tracks_that_take_turns_at_one_person_are_one() -> None:
    # Frame 1 has the person twice, 25 pixels apart: too far for one pose, and near enough for each to go on.
    near, far = 200, 225
    found = {1: [stand(near), stand(far)], **{f: [stand(near if f % 2 else far)] for f in range(2, 12)}}
    (track,) = link_tracks(found)
    assert track.frames.tolist() == list(range(1, 12)) and track.seen.all()
    assert hip_x(track, 2) == pytest.approx(far)


def test_two_who_are_near_each_other_in_every_frame_stay_two() -> None:
    found = {f: [stand(200), stand(225)] for f in range(1, 12)}
    assert len(link_tracks(found)) == 2


def test_two_at_one_place_one_after_the_other_stay_two() -> None:
    found = {1: [stand(200)], 2: [stand(200)], 3: [lying(200)], 4: [lying(200)]}
    assert [t.frames.tolist() for t in link_tracks(found)] == [[1, 2], [3, 4]]


def test_who_is_seen_in_less_than_half_of_the_frames_is_dropped() -> None:
    half = {1: [stand(100)], 2: [], 3: [], 4: [stand(100)]}
    assert len(link_tracks(half)) == 1
    less = {1: [stand(100)], 2: [], 3: [], 4: [], 5: [stand(100)]}
    assert link_tracks(less) == []
    # Frames that were not looked at do not count.
    assert len(link_tracks({1: [stand(100)], 5: [stand(100)]})) == 1


def test_tracks_come_back_from_a_file(tmp_path: Path) -> None:
    tracks = link_tracks({3: [stand(100), stand(300)], 5: [stand(101)]})
    path = tmp_path / "zwei (Männer) 1.npz"
    save_tracks(path, tracks, '{"tiles": "ä"}')
    read, options = load_tracks(path)
    assert options == '{"tiles": "ä"}'
    assert [t.number for t in read] == [1, 2]
    for ours, theirs in zip(tracks, read):
        for name in ("frames", "points", "world", "visibility", "scores", "seen"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    save_tracks(path, [])
    assert load_tracks(path) == ([], "")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(InputError, match=r"tracks.npz cannot be read .*: remove it"):
        load_tracks(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_tracks(tmp_path / "none.npz")
