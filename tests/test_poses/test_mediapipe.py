"""With MediaPipe, on a few frames of real footage; what needs neither runs everywhere."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.poses import mediapipe
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
