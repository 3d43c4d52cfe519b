"""Pose stages: the quick network with random weights, one whose heatmap is the picture, and MediaPipe. J = 17."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser, EstimatePose, EstimatePoseMediaPipe, pose
from tpsparse.poses.landmarks import LANDMARKS, Pose
from tpsparse.registry import MODELS, SCOPE
from tpsparse.runtime import Runtime
from tpsparse.structures import FrameParse

VIDEOS = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"
SIZE = (96, 128)


@pytest.fixture(scope="module")
def weights(drawn, tiny_taxonomy, tmp_path_factory):
    """The quick config, and random weights of its network, without names in their meta, as from a model zoo."""
    [config] = (drawn.QUICK / "pose_estimation").glob("*.py")
    init_default_scope(SCOPE)
    torch.manual_seed(0)
    model = MODELS.build(load_config(config, taxonomy=tiny_taxonomy).model)
    path = tmp_path_factory.mktemp("pose") / "zoo.pth"
    torch.save({"meta": {"epoch": 210}, "state_dict": model.state_dict()}, path)
    return str(config), str(path)


@pytest.fixture
def stage(weights, tiny_taxonomy):
    def build(**options):
        return EstimatePose(config=weights[0], checkpoint=weights[1], taxonomy=tiny_taxonomy, **options)

    return build


def some_frames() -> list[FrameParse]:
    boxes = [[[10, 5, 40, 60], [50, 5, 80, 60]], [], [[20, 10, 60, 50]]]
    return [FrameParse(number, rows) for number, rows in zip((1, 6, 11), boxes)]


def noise(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, *SIZE, 3), dtype=np.uint8)


class TestEstimatePose:
    def test_gives_keypoints_of_every_person(self, stage):
        built = stage()
        assert (list(built.needs), list(built.gives)) == (["boxes"], ["keypoints"])
        frames = some_frames()
        built.parse_frames(noise(), frames)
        for frame, persons in zip(frames, (2, 0, 1), strict=True):
            frame.check()
            assert frame.keypoints.shape == (persons, 17, 3) and frame.keypoints.dtype == np.float32
            assert ((frame.keypoints[..., 2] >= 0) & (frame.keypoints[..., 2] <= 1)).all()
        # Within the crop, which is a quarter larger than the box grown to its proportions.
        left, right = frames[0].keypoints
        assert left[:, 0].max() < 60 and right[:, 0].min() > 30

    def test_batches_across_frames_do_not_matter(self, stage):
        one, all_at_once = some_frames(), some_frames()
        for count, frames in ((1, one), (3, all_at_once)):
            built = stage()
            built.use(Runtime(batch_persons=count))
            built.parse_frames(noise(), frames)
        for alone, together in zip(one, all_at_once, strict=True):
            np.testing.assert_allclose(alone.keypoints, together.keypoints, atol=1e-2)

    @pytest.mark.parametrize("box", [[10, 10, 12, 12], [30, 30, 30, 30], [-50, -50, -48, -48]])
    def test_tiny_boxes(self, stage, box):
        frame = FrameParse(1, [box])
        stage().parse_frames(noise(1), [frame])
        assert np.isfinite(frame.keypoints).all() and frame.keypoints.shape == (1, 17, 3)

    def test_nobody_at_all(self, stage):
        frame = FrameParse(1, [])
        stage().parse_frames(noise(1), [frame])
        assert frame.keypoints.shape == (0, 17, 3)

    def test_mirror_images_as_the_config_says(self, stage):
        plain, both = some_frames(), some_frames()
        stage(options={"model.test_cfg.flip_test": False}).parse_frames(noise(), plain)
        stage().parse_frames(noise(), both)
        assert not np.allclose(plain[0].keypoints, both[0].keypoints)

    def test_another_skeleton_is_refused(self, weights, tiny_taxonomy, tmp_path):
        init_default_scope(SCOPE)
        cfg = load_config(weights[0], taxonomy=tiny_taxonomy)
        cfg.model.head.out_channels = 21
        torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / "a.pth")
        options = {"model.head.out_channels": 21}
        with pytest.raises(InputError, match="tells 21 keypoints: give a network of COCO's 17"):
            EstimatePose(config=weights[0], checkpoint=str(tmp_path / "a.pth"), taxonomy=tiny_taxonomy, options=options)

    def test_a_dot_is_found_where_it_is(self, stage):
        """Half a pixel would show: with the crop as heatmap, the mean error of many places is near 0."""
        # Every fourth pixel of a mirrored crop is not every fourth of the crop: the plain view alone.
        built = stage(options={"model.test_cfg.flip_test": False})
        model = built.network.model
        model.extract_feat = lambda inputs: inputs
        # A cell of the heatmap is the crop's pixel of the same place, four to a side.
        model.head.forward = lambda inputs: inputs[:, :1, ::4, ::4].repeat(1, 17, 1, 1)
        rng = np.random.default_rng(1)
        places = rng.uniform(40, 56, (40, 2))
        rows, columns = np.arange(SIZE[0])[:, None] + 0.5, np.arange(SIZE[1]) + 0.5
        light = [200 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 2.0**2)) for x, y in places]
        images = np.repeat(np.stack(light).astype(np.uint8)[..., None], 3, axis=3)
        # 24 x 32 pixels, padded by a quarter, onto 96 x 128: a cell is 1.25 pixels of the frame.
        frames = [FrameParse(i + 1, [[36, 32, 60, 64]]) for i in range(len(places))]
        built.parse_frames(images, frames)
        errors = np.stack([frame.keypoints[0, 0, :2] for frame in frames]) - places
        assert np.abs(errors).max() < 1.0
        np.testing.assert_allclose(errors.mean(axis=0), 0, atol=0.12)


def made_pose(box: tuple[float, float, float, float], visibility: float = 0.8) -> Pose:
    points = np.zeros((len(LANDMARKS), 3))
    points[:, 0] = np.linspace(box[0], box[2], len(LANDMARKS))
    points[:, 1] = np.linspace(box[1], box[3], len(LANDMARKS))
    return Pose(points, points / 100, np.full(len(LANDMARKS), visibility), visibility)


class TestMediaPipe:
    @pytest.fixture
    def made(self, monkeypatch, tiny_taxonomy):
        """A stage whose estimator finds given poses."""

        class Made:
            def __init__(self, views):
                assert views == []

            def find_at(self, image, boxes):
                return self.poses

        monkeypatch.setattr(pose, "PoseEstimator", Made)
        monkeypatch.setattr(pose.metadata, "version", {"mediapipe": "0.10.21"}.__getitem__)

        def build(poses):
            stage = EstimatePoseMediaPipe(taxonomy=tiny_taxonomy)
            stage.estimator.poses = poses
            return stage

        return build

    def test_rows_are_those_of_the_boxes(self, made):
        frame = FrameParse(1, [[60, 10, 100, 90], [0, 0, 5, 5], [10, 10, 50, 90]])
        stage = made([made_pose((12, 12, 48, 88)), made_pose((62, 12, 98, 88), 0.4)])
        stage.parse_frames(noise(1), [frame])
        frame.check()
        assert frame.keypoints[0, 0].tolist() == pytest.approx([62, 12, 0.4])
        assert not frame.keypoints[1].any()
        assert frame.keypoints[2, 0].tolist() == pytest.approx([12, 12, 0.8])

    def test_records_follow_the_version(self, made, monkeypatch, tiny_taxonomy):
        def stamp(version):
            monkeypatch.setattr(pose.metadata, "version", {"mediapipe": version}.__getitem__)
            stages, frames = [dict(type="EstimatePoseMediaPipe")], dict(type="EveryFrame")
            monkeypatch.setattr("tpsparse.parsing.parser.check_row", lambda stages: None)  # the boxes are left out
            return ActionParser(stages=stages, frames=frames, taxonomy=tiny_taxonomy.to_meta()).fingerprint

        assert stamp("0.10.21") == stamp("0.10.21") != stamp("0.10.22")

    @pytest.mark.parametrize("boxes", [[], [[10, 10, 50, 90]]])
    def test_nobody(self, made, boxes):
        frame = FrameParse(1, boxes)
        made([]).parse_frames(noise(1), [frame])
        assert frame.keypoints.shape == (len(boxes), 17, 3) and not frame.keypoints.any()

    def test_without_mediapipe(self, monkeypatch, tiny_taxonomy):
        from tpsparse.poses import mediapipe

        def missing(name):
            raise mediapipe.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(mediapipe.metadata, "version", missing)
        with pytest.raises(InputError, match="mediapipe is not installed, .*: run make annotate"):
            EstimatePoseMediaPipe(taxonomy=tiny_taxonomy)

    def test_two_people_of_real_footage(self, tiny_taxonomy):
        pytest.importorskip("mediapipe", reason="MediaPipe is not installed: run make annotate")
        if not VIDEOS.is_dir():
            pytest.skip(f"{VIDEOS} is not there")
        video = Video(VIDEOS / "demo_skeleton.mp4")
        # By eye, in the frame of 1920 x 1080; the last is a box of nothing.
        boxes = [[930, 280, 1110, 900], [670, 320, 900, 930], [100, 100, 102, 102]]
        frames = [FrameParse(1, boxes), FrameParse(2, boxes[::-1])]
        EstimatePoseMediaPipe(taxonomy=tiny_taxonomy).parse_frames(video.frames([1, 2]), frames)
        for frame, order in zip(frames, ([0, 1, 2], [2, 1, 0])):
            right, left, nothing = frame.keypoints[order]
            for keypoints, box in ((right, boxes[0]), (left, boxes[1])):
                seen = keypoints[keypoints[:, 2] >= 0.5]
                assert len(seen) >= 12
                assert (seen[:, :2] >= np.array(box[:2]) - 25).all() and (seen[:, :2] <= np.array(box[2:]) + 25).all()
                assert keypoints[0, 1] < keypoints[11, 1] < keypoints[15, 1]  # nose, hip, ankle
            assert not nothing.any()
