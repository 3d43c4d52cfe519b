"""With MediaPipe, on a few frames of real footage; what needs neither runs everywhere."""

import sys
from importlib import metadata
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.poses import mediapipe
from tpsparse.poses.landmarks import LANDMARKS
from tpsparse.poses.mediapipe import PoseEstimator, check_installed
from tpsparse.poses.views import tile_views

VIDEOS = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"


def versions(monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in known:
            raise metadata.PackageNotFoundError(name)
        return known[name]

    monkeypatch.setattr(mediapipe.metadata, "version", version)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"protobuf": "6.33.6"}, "mediapipe is not installed"),
        ({"mediapipe": "1.0.0", "protobuf": "6.33.6"}, "mediapipe 1.0.0 with protobuf 6.33.6 cannot find people"),
        ({"mediapipe": "0.10.21", "protobuf": "7.0.0"}, "mediapipe 0.10.21 with protobuf 7.0.0 cannot find people"),
    ],
)
def test_what_is_not_installed_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, str], told: str
) -> None:
    versions(monkeypatch, known)
    with pytest.raises(InputError, match=rf"{told}.*: run make annotate"):
        check_installed()


@pytest.mark.parametrize("protobuf", ["4.25.9", "6.33.6"])
def test_what_is_enough(monkeypatch: pytest.MonkeyPatch, protobuf: str) -> None:
    versions(monkeypatch, {"mediapipe": "0.10.21", "protobuf": protobuf})
    check_installed()


@pytest.fixture(scope="module")
def footage() -> Path:
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed: run make annotate")
    if not VIDEOS.is_dir():
        pytest.skip(f"{VIDEOS} is not there")
    return VIDEOS


def found_in(path: Path, number: int, **options) -> list[np.ndarray]:
    """The boxes around the landmarks of the people in one frame."""
    video = Video(path)
    with PoseEstimator(tile_views(video.size), **options) as estimator:
        return [pose.box for pose in estimator.find(video.frames([number])[0])]


def test_two_people_are_found_where_they_are(footage: Path) -> None:
    boxes = found_in(footage / "demo_skeleton.mp4", 1)
    assert len(boxes) == 2
    left, right = sorted(boxes, key=lambda box: box[0])
    # By eye, in the frame of 1920 x 1080.
    np.testing.assert_allclose(left, [683, 339, 884, 909], atol=25)
    np.testing.assert_allclose(right, [938, 298, 1099, 853], atol=25)


def test_people_of_a_third_of_the_frame_need_tiles(footage: Path) -> None:
    path = footage / "sports2d.mp4"
    assert len(found_in(path, 54)) == 2
    video = Video(path)
    with PoseEstimator(tile_views(video.size, "none")) as estimator:
        assert len(estimator.find(video.frames([54])[0])) < 2


def test_at_most_so_many(footage: Path) -> None:
    assert len(found_in(footage / "demo_skeleton.mp4", 20, max_persons=1)) == 1


def test_who_is_known_is_followed_without_looking_again(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = Video(footage / "demo_skeleton.mp4")
    looked: list[int] = []
    detect = PoseEstimator._detect
    monkeypatch.setattr(
        PoseEstimator, "_detect", lambda self, *given: looked.append(self._asked) or detect(self, *given)
    )
    with PoseEstimator(tile_views(video.size), detect_every=3) as estimator:
        counts = [len(estimator.find(image)) for _, image in video.decode(5)]
    assert counts == [2] * 5
    assert looked == [0, 3]


def test_an_empty_frame_has_nobody(footage: Path) -> None:
    with PoseEstimator([(0, 0, 320, 240)]) as estimator:
        assert estimator.find(np.full((240, 320, 3), 127, dtype=np.uint8)) == []
        assert estimator.find(np.full((240, 320, 3), 127, dtype=np.uint8)) == []


def test_at_boxes(footage: Path) -> None:
    """Whoever is at a box is found; a box of nothing, of two pixels or outside adds nobody who is not there."""
    video = Video(footage / "demo_skeleton.mp4")
    image = video.frames([1])[0]
    boxes = np.array([[670.0, 320, 900, 930], [930, 280, 1110, 900]])
    with PoseEstimator([]) as estimator:
        both = sorted(estimator.find_at(image, boxes), key=lambda pose: pose.box[0])
        alone = estimator.find_at(image, boxes[1:])
        again = sorted(estimator.find_at(image, boxes), key=lambda pose: pose.box[0])
        assert estimator.find_at(image, np.zeros((0, 4))) == []
        assert estimator.find_at(image, np.array([[-80.0, -80, -40, -40]])) == []
        estimator.find_at(image, np.array([[10.0, 10, 12, 12]]))
    np.testing.assert_allclose(both[0].box, [683, 339, 884, 909], atol=25)
    np.testing.assert_allclose(both[1].box, [938, 298, 1099, 853], atol=25)
    assert any(np.abs(pose.box - both[1].box).max() < 25 for pose in alone)
    for first, second in zip(both, again):  # a frame by itself, whatever was asked before
        np.testing.assert_allclose(first.points, second.points, atol=1e-3)


class StubDetector:
    """Finds given bodies (hips, rim, score), in pixels of the frame, in any view that holds their hips.

    A view is told by its first pixel: the frame has each pixel's place in its channels.
    """

    def __init__(self, bodies):
        self.bodies = bodies

    def process(self, view):
        height, width = view.shape[:2]
        x0, y0 = view[0, 0, :2].tolist()
        found = [
            SimpleNamespace(
                location_data=SimpleNamespace(
                    relative_keypoints=[SimpleNamespace(x=(x - x0) / width, y=(y - y0) / height) for x, y in points]
                ),
                score=[score],
            )
            for *points, score in self.bodies
            if x0 <= points[0][0] < x0 + width and y0 <= points[0][1] < y0 + height
        ]
        return SimpleNamespace(detections=found or None)


class StubLandmarks:
    """Sees a body whose landmarks span the region that it is shown, in a frame of 200 x 100 pixels."""

    def __init__(self):
        self.regions = []
        self.visibility, self.presence = [0.5] * len(LANDMARKS), [1.0] * len(LANDMARKS)

    def process(self, given):
        region = given["region"]
        self.regions.append((region.x_center * 200, region.y_center * 100, region.height * 100, region.rotation))
        share = np.linspace(-0.4, 0.4, len(LANDMARKS))
        rows = [
            SimpleNamespace(
                x=region.x_center + step * region.width / 4,
                y=region.y_center + step * region.height,
                z=0.0,
                visibility=visibility,
                presence=presence,
            )
            for step, visibility, presence in zip(share, self.visibility, self.presence)
        ]
        landmarks = SimpleNamespace(landmark=rows)
        return SimpleNamespace(landmarks=landmarks, world=landmarks, circle=landmarks)


class TestStubbed:
    """Between the two graphs; a frame of 100 x 200 pixels, each of which says where it is."""

    IMAGE = np.stack([*np.meshgrid(np.arange(200), np.arange(100)), np.zeros((100, 200))], axis=2).astype(np.uint8)
    BOX = np.array([40.0, 20, 60, 60])

    @pytest.fixture
    def make(self, monkeypatch):
        rects = SimpleNamespace(rect_pb2=SimpleNamespace(NormalizedRect=SimpleNamespace))
        monkeypatch.setitem(sys.modules, "mediapipe.framework.formats", rects)

        def build(*bodies):
            estimator = object.__new__(PoseEstimator)
            estimator._detector, estimator._landmarks = StubDetector(bodies), StubLandmarks()
            return estimator

        return build

    def test_upright_where_nobody_is_detected(self, make):
        estimator = make()
        [pose] = estimator.find_at(self.IMAGE, self.BOX[None])
        # About the middle of the box; the circle has half its height as radius, the region a quarter more.
        assert estimator._landmarks.regions == [pytest.approx((50, 40, 2 * 1.25 * 20, 0))]
        assert pose.box[1] == pytest.approx(40 - 0.4 * 50) and pose.box[3] == pytest.approx(40 + 0.4 * 50)

    def test_who_is_detected_in_the_box(self, make):
        estimator = make(((55, 45), (85, 45), 0.9))  # lying, the head to the right
        estimator.find_at(self.IMAGE, self.BOX[None])
        assert estimator._landmarks.regions == [pytest.approx((55, 45, 2 * 1.25 * 30, np.pi / 2))]

    @pytest.mark.parametrize("hips", [(39.5, 40), (60.5, 40), (50, 19.5), (50, 60.5)])
    def test_hips_beside_the_box_are_of_somebody_else(self, make, hips):
        estimator = make((hips, (hips[0], hips[1] - 18), 0.9))
        estimator.find_at(self.IMAGE, self.BOX[None])
        assert estimator._landmarks.regions == [pytest.approx((50, 40, 50, 0))]

    @pytest.mark.parametrize("hips", [(40, 40), (60, 40), (50, 20), (50, 60)])
    def test_hips_on_the_edge_are_in_the_box(self, make, hips):
        estimator = make((hips, (hips[0], hips[1] - 18), 0.9), ((70, 70), (70, 50), 0.95))
        estimator.find_at(self.IMAGE, self.BOX[None])
        assert estimator._landmarks.regions == [pytest.approx((*hips, 45, 0))]

    def test_visibility_is_no_higher_than_presence(self, make):
        estimator = make()
        estimator._landmarks.visibility[:3] = 0.9, 0.2, 0.6
        estimator._landmarks.presence[:3] = 0.3, 0.8, 0.6
        [pose] = estimator.find_at(self.IMAGE, self.BOX[None])
        assert pose.visibility[:4].tolist() == pytest.approx([0.3, 0.2, 0.6, 0.5])
        assert pose.score == pytest.approx((0.3 + 0.2 + 0.6 + 30 * 0.5) / 33)

    def test_order_of_the_boxes_does_not_matter(self, make):
        """Three boxes of one person: each but the last has another detection, the last has none."""
        bodies = [((48, 40), (48, 20), 0.6), ((50, 40), (50, 20), 0.8)]
        boxes = np.array([[47.0, 20, 49, 60], [49.5, 20, 60, 60], [51, 21, 51.5, 59]])
        seen = []
        for order in permutations(range(3)):
            estimator = make(*bodies)
            poses = estimator.find_at(self.IMAGE, boxes[list(order)])
            seen.append((estimator._landmarks.regions, [pose.box.tolist() for pose in poses]))
        assert all(each == seen[0] for each in seen)
        assert seen[0][0] == [pytest.approx((50, 40, 50, 0))]  # the surest of the three
