import bodies
import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.poses.landmarks import Pose
from tpsparse.poses.views import (
    Region,
    box_distance,
    distinct_poses,
    distinct_regions,
    match_poses,
    pose_distance,
    tile_views,
    upright_region,
    view_around,
)


def test_no_tiles_is_the_whole_frame() -> None:
    assert tile_views((240, 320), "none") == [(0, 0, 320, 240)]


def test_auto_lays_squares_in_two_sizes_over_a_wide_frame() -> None:
    views = tile_views((100, 180))
    # Whole; squares of 100 beginning every (180 - 100) / 2; squares of 60 in 2 rows and 4 columns of stride 40.
    large = [(0, 0, 100, 100), (40, 0, 140, 100), (80, 0, 180, 100)]
    small = [(x, y, x + 60, y + 60) for y in (0, 40) for x in (0, 40, 80, 120)]
    assert views == [(0, 0, 180, 100), *large, *small]


def test_a_square_frame_is_not_looked_at_twice() -> None:
    views = tile_views((64, 64))
    assert views[0] == (0, 0, 64, 64) and len(views) == len(set(views)) == 5


@pytest.mark.parametrize("size", [(100, 180), (180, 100), (1, 1), (720, 1280), (33, 1000)])
@pytest.mark.parametrize("layout", ["auto", "2x3", "1x1", "3x4"])
def test_tiles_lie_in_the_frame_and_cover_it(size: tuple[int, int], layout: str) -> None:
    seen = np.zeros(size, dtype=int)
    views = tile_views(size, layout)
    for x0, y0, x1, y1 in views[1:] or views:
        assert 0 <= x0 < x1 <= size[1] and 0 <= y0 < y1 <= size[0]
        seen[y0:y1, x0:x1] += 1
    assert seen.min() >= 1


def test_rows_and_columns_share_three_tenths() -> None:
    # Two columns of w with 0.3 w shared: 1.7 w = 170.
    assert tile_views((50, 170), "1x2") == [(0, 0, 170, 50), (0, 0, 100, 50), (70, 0, 170, 50)]


@pytest.mark.parametrize("layout", ["", "2", "0x3", "2x", "many", "2x3x4", "-1x2"])
def test_an_unknown_layout_is_told(layout: str) -> None:
    with pytest.raises(InputError, match="give auto, none, or rows x columns"):
        tile_views((100, 100), layout)


def test_rotation_is_0_upright_and_grows_clockwise() -> None:
    assert Region((0, 0), (0, -10), 1).rotation == pytest.approx(0)
    assert Region((0, 0), (10, 0), 1).rotation == pytest.approx(np.pi / 2)
    assert abs(Region((0, 0), (0, 10), 1).rotation) == pytest.approx(np.pi)
    assert Region((3, 4), (0, 0), 1).radius == 5


def test_regions_nearly_alike_are_one() -> None:
    first = Region((100, 100), (100, 0), 0.9)
    near = Region((112, 100), (112, 0), 0.8)  # 12 hundredths of the radius away: just the same
    apart = Region((113, 100), (113, 0), 0.7)
    small = Region((100, 100), (100, 24), 0.6)  # 76 to 100 is more than 1.3
    assert distinct_regions([first, near, apart, small]) == [first, apart, small]
    assert distinct_regions([]) == []


def test_pose_distance_is_in_body_heights() -> None:
    pose = bodies.pose(bodies.t_pose())
    moved = bodies.pose(bodies.t_pose(), at=(200 + 17.5, 150))
    assert pose_distance(pose, pose) == 0
    assert pose_distance(pose, moved) == pytest.approx(0.1, rel=1e-4)  # 17.5 of 175 pixels
    assert box_distance(pose, moved) == pytest.approx(0.05, rel=1e-4)  # two of four sides move


def test_pose_distance_looks_at_what_both_show() -> None:
    pose, other = bodies.pose(bodies.t_pose()), bodies.pose(bodies.t_pose(), at=(300, 150))
    half_hidden = np.where(np.arange(33) < 29, 0.49, 0.5)  # the four landmarks of the feet are seen, at the threshold
    points = other.points.copy()
    points[29:] = pose.points[29:]
    same_feet = type(other)(points, other.world, half_hidden, 1.0)
    assert pose_distance(pose, same_feet) == 0
    unseen = type(other)(points, other.world, np.zeros(33), 1.0)
    assert pose_distance(pose, unseen) > 0.5


def test_poses_of_no_height_are_infinitely_far() -> None:
    nothing = bodies.pose(np.zeros((33, 3)))
    assert pose_distance(nothing, nothing) == float("inf")


def test_the_best_of_repeated_poses_stays() -> None:
    world = bodies.t_pose()
    poses = [
        bodies.pose(world, at=(200, 150), score=0.6),
        bodies.pose(world, at=(203, 150), score=0.9),  # the same person, better
        bodies.pose(world, at=(330, 150), score=0.7),
    ]
    assert distinct_poses(poses, 10) == [1, 2]
    assert distinct_poses(poses, 1) == [1]
    assert distinct_poses([], 10) == []


def test_a_pose_upside_down_in_the_same_box_is_a_repetition() -> None:
    world = bodies.t_pose()
    middle = (world[:, 1].min() + world[:, 1].max()) / 2
    flipped = world.copy()
    flipped[:, 1] = 2 * middle - flipped[:, 1]
    poses = [bodies.pose(flipped, score=0.5), bodies.pose(world, score=0.5)]
    assert pose_distance(*poses) > 0.06
    assert distinct_poses(poses, 10) == [0]  # a tie keeps the first


def test_people_side_by_side_are_two() -> None:
    world = bodies.hanging()
    assert len(distinct_poses([bodies.pose(world), bodies.pose(world, at=(245, 150))], 10)) == 2


def test_view_around_is_a_square_of_twice_the_side() -> None:
    # 20 x 40 about (60, 50): 80 to a side.
    assert view_around(np.array([50.0, 30, 70, 70]), (200, 300)) == (20, 10, 100, 90)
    assert view_around(np.array([50.0, 30, 70, 70]), (80, 90)) == (20, 10, 90, 80)  # cut to the frame
    assert view_around(np.array([50.4, 30.4, 50.4, 30.4]), (200, 300)) == (49, 29, 52, 32)  # a point counts as a pixel


@pytest.mark.parametrize("box", [[-50.0, -50, -30, -30], [400.0, 10, 420, 30]])
def test_view_around_a_box_outside(box: list[float]) -> None:
    assert view_around(np.array(box), (200, 300)) is None


def test_upright_region_of_a_box() -> None:
    region = upright_region(np.array([50.0, 30, 70, 70]))
    assert (region.centre, region.radius, region.rotation) == ((60, 50), 20, 0)


def pose_at(box: tuple[float, float, float, float]) -> Pose:
    points = np.tile([[box[0], box[1], 0.0]], (33, 1))
    points[1, :2] = box[2:]
    return Pose(points, np.zeros((33, 3)), np.ones(33), 1.0)


def test_poses_are_matched_one_to_one() -> None:
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]])
    near, both = pose_at((0, 0, 10, 10)), pose_at((1, 0, 11, 10))
    # The second pose is as near to the first box as to the second, which has no other.
    assert match_poses([near, both], boxes, 0.3).tolist() == [0, 1, -1]
    assert match_poses([both], boxes[:1], 0.3).tolist() == [0]
    assert match_poses([pose_at((52, 52, 62, 62)), both, near], boxes, 0.3).tolist() == [2, 1, 0]


def test_a_pose_exactly_at_the_threshold_is_matched() -> None:
    boxes = np.array([[0.0, 0, 10, 10]])
    half = pose_at((0, 0, 10, 5))
    assert match_poses([half], boxes, 0.5).tolist() == [0]
    assert match_poses([half], boxes, 0.51).tolist() == [-1]
    assert match_poses([pose_at((20, 20, 30, 30))], boxes, 0.0).tolist() == [-1]  # without any overlap never


def test_nobody_or_nothing_to_match() -> None:
    assert match_poses([], np.zeros((2, 4)), 0.3).tolist() == [-1, -1]
    assert match_poses([pose_at((0, 0, 9, 9))], np.zeros((0, 4)), 0.3).tolist() == []
