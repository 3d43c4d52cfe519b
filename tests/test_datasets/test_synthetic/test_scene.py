from collections import Counter, defaultdict

import numpy as np
import pytest

from tpsparse.datasets.synthetic.actions import ACTIONS
from tpsparse.datasets.synthetic.camera import Camera
from tpsparse.datasets.synthetic.scene import plan_scene
from tpsparse.datasets.synthetic.states import PARTS, STATES

SIZE = (72, 96)
VIDEOS, FRAMES, STRIDE = 5, 32, 8


@pytest.fixture(scope="module")
def annotations() -> dict[str, list[list[dict]]]:
    """Action to videos to every eighth frame's annotation."""
    drawn: dict[str, list[list[dict]]] = {}
    for number, action in enumerate(ACTIONS[:8]):
        scenes = [
            plan_scene(np.random.default_rng([number, video]), action, frames=FRAMES, size=SIZE)
            for video in range(VIDEOS)
        ]
        drawn[action.name] = [[scene.render(frame)[1] for frame in range(0, FRAMES, STRIDE)] for scene in scenes]
    return drawn


def parts_of(videos: list[list[dict]]) -> list[tuple[str, str]]:
    return [
        (part, entry["verb"])
        for frames in videos
        for frame in frames
        for human in frame["humans"]
        for part, entry in human["parts"].items()
    ]


def test_most_frequent_states_are_often_wrong(annotations):
    wrong = total = 0
    for videos in annotations.values():
        seen = parts_of(videos)
        train = defaultdict(Counter)
        for part, state in parts_of(videos[: VIDEOS - 2]):
            train[part][state] += 1
        guess = {part: counts.most_common(1)[0][0] for part, counts in train.items()}
        wrong += sum(guess.get(part) != state for part, state in seen)
        total += len(seen)
    assert total > 1000
    assert wrong / total >= 0.30


def test_many_states_and_every_part_are_used(annotations):
    seen = [entry for videos in annotations.values() for entry in parts_of(videos)]
    states = {state for _, state in seen}
    assert states <= set(STATES)
    assert len(states) >= 12
    assert {part for part, _ in seen} == set(PARTS)


def test_states_change_within_videos(annotations):
    changing = videos = 0
    for clips in annotations.values():
        for frames in clips:
            states = [
                tuple(entry["verb"] for entry in human["parts"].values())
                for frame in frames
                for human in frame["humans"]
            ]
            changing += len(set(states)) > 1
            videos += 1
    assert changing / videos > 0.95


def test_boxes_lie_in_the_frame_and_parts_in_their_person(annotations):
    height, width = SIZE
    for videos in annotations.values():
        for frame in (frame for frames in videos for frame in frames):
            for human in frame["humans"]:
                px0, py0, px1, py1 = human["box"]
                assert 0 <= px0 < px1 <= width - 1
                assert 0 <= py0 < py1 <= height - 1
                for entry in human["parts"].values():
                    x0, y0, x1, y1 = entry["box"]
                    assert px0 <= x0 < x1 <= px1
                    assert py0 <= y0 < y1 <= py1


def test_people_are_large_enough_to_be_seen(annotations):
    boxes = [
        human["box"]
        for videos in annotations.values()
        for frames in videos
        for frame in frames
        for human in frame["humans"]
    ]
    heights = np.array([y1 - y0 for _, y0, _, y1 in boxes]) / SIZE[0]
    assert 0.5 < np.median(heights) < 0.85


def test_objects_of_an_action_are_annotated(annotations):
    for action in ACTIONS[:8]:
        names = {thing["name"] for frames in annotations[action.name] for frame in frames for thing in frame["objects"]}
        assert names == ({action.prop} if action.prop else set())


def test_same_generator_gives_the_same_frame():
    one, two = (plan_scene(np.random.default_rng(5), ACTIONS[0], frames=4, size=SIZE).render(3) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    assert one[1] == two[1]
    other = plan_scene(np.random.default_rng(6), ACTIONS[0], frames=4, size=SIZE).render(3)
    assert (one[0] != other[0]).any()


def test_one_frame_video():
    image, annotation, keypoints = plan_scene(np.random.default_rng(0), ACTIONS[1], frames=1, size=SIZE).render(0)
    assert image.shape == (*SIZE, 3)
    assert image.dtype == np.uint8
    assert annotation["humans"] and keypoints.shape == (len(annotation["humans"]), 17, 3)


def test_camera_projects_by_hand():
    # Looking level from 4 m: a metre at the origin is 100 px, a metre 2 m nearer is twice as large.
    camera = Camera(pitch=0.0, distance=4.0, focal=100.0, centre=(50.0, 40.0))
    image, scale = camera.project(np.array([[0.5, 0.85, 0.0], [0.5, 1.85, 2.0]]))
    np.testing.assert_allclose(image[:, :2], [[100, 40], [150, -160]])
    np.testing.assert_allclose(scale, [100, 200])


def test_rays_pass_through_what_is_projected():
    camera = Camera(pitch=12.0, distance=6.0, focal=80.0, centre=(48.0, 36.0))
    point = np.array([[0.4, 0.0, -1.5]])
    image, _ = camera.project(point)
    eye, ray = camera.rays(image[:, 0], image[:, 1])
    on_floor = eye - ray[0] * eye[1] / ray[0, 1]
    np.testing.assert_allclose(on_floor, point[0], atol=1e-9)


def test_framing_fits_the_window():
    points = np.random.default_rng(0).uniform(-1, 2, (50, 3))
    camera = Camera.framing(points, pitch=10.0, distance=6.0, window=(5.0, 6.0, 85.0, 66.0))
    image, _ = camera.project(points)
    low, high = image[:, :2].min(axis=0), image[:, :2].max(axis=0)
    assert (low >= np.array([5, 6]) - 1e-6).all()
    assert (high <= np.array([85, 66]) + 1e-6).all()
    np.testing.assert_allclose(((high - low) / [80, 60]).max(), 1)  # and touches it one way
