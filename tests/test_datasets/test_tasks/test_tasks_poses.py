"""Persons with known keypoints in mmpose's terms. J = 17."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmpose.registry import KEYPOINT_CODECS
from safetensors.numpy import load_file, save_file

from tpsparse.datasets.tasks.poses import TPSPoseDataset, boxes_for_mmpose, from_pose_network, pose_sample
from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.registry import DATASETS
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.structures.keypoints import KEYPOINTS, flip_keypoints
from tpsparse.taxonomy import Taxonomy

NUM_FRAMES, SIZE = 12, (64, 96)


def body(box: np.ndarray, score: float = 1.0) -> np.ndarray:
    """(J, 3) keypoints on the diagonal of a box."""
    share = np.linspace(0.1, 0.9, len(KEYPOINTS))
    return np.column_stack([box[0] + share * (box[2] - box[0]), box[1] + share * (box[3] - box[1]), share * 0 + score])


def save_record(root: Path, name: str, frames: list[FrameParse], **changes) -> Path:
    path = root / "keypoints" / f"{name}.safetensors"
    facts = {"video": name, "size": SIZE, "num_frames": NUM_FRAMES, "fps": 10.0, "frames": frames}
    VideoParse(**{**facts, **changes}).save(path)
    return path


@pytest.fixture
def known(tiny_copy, drawn) -> Path:
    """A data set whose push-up videos have keypoints of two persons in every frame."""
    for split, count in drawn.VIDEOS.items():
        for number in range(count):
            frames = []
            for frame in range(1, NUM_FRAMES + 1):
                boxes = np.array([drawn.person_box("push_up", frame, person) for person in range(2)], np.float32)
                frames.append(FrameParse(frame, boxes, keypoints=np.stack([body(box) for box in boxes])))
            save_record(tiny_copy, f"push_up_{split}_{number}", frames)
    return tiny_copy


def make(root: Path, split: str = "train", **options) -> TPSPoseDataset:
    options = {"keypoints": str(root / "keypoints"), "pipeline": [], **options}
    return TPSPoseDataset(data_root=str(root), split=split, taxonomy=Taxonomy.from_root(root).to_meta(), **options)


class TestDataset:
    def test_samples_are_persons_of_the_split(self, known, drawn):
        assert len(make(known)) == 2 * NUM_FRAMES * 2 and len(make(known, "test")) == NUM_FRAMES * 2
        dataset = make(known, "test", frame_step=5)
        assert len(dataset) == 3 * 2 and dataset.number.tolist() == [1, 1, 6, 6, 11, 11]
        sample = dataset[3]  # the second person in frame 6
        box = np.array(drawn.person_box("push_up", 6, 1))
        np.testing.assert_allclose(sample["bbox"], box[None] - 0.5)
        np.testing.assert_allclose(sample["keypoints"][0], body(box)[:, :2] - 0.5, rtol=1e-6)
        assert sample["keypoints_visible"].tolist() == [[1] * 17] and sample["img"].shape == (64, 96, 3)
        video = Video(known / "test_videos" / "push_up" / "push_up_test_0.mp4")
        np.testing.assert_array_equal(sample["img"], video.frames([6])[0])
        assert dataset.metainfo["taxonomy"] == Taxonomy.from_root(known).to_meta()

    def test_pooled_frames_are_the_same(self, known):
        plain, pooled = make(known), make(known)
        pooled.expect_pools()
        groups = pooled.sample_groups()
        assert groups.tolist() == sorted(groups.tolist()) and len(set(groups)) == 2
        for index in (0, 5, 30):
            np.testing.assert_array_equal(plain[index]["img"], pooled[index]["img"])
        pooled[0]["img"][:] = 0  # a sample's picture is its own
        assert pooled[0]["img"].any()

    def test_a_record_of_another_size_is_scaled(self, known, drawn):
        box = np.array(drawn.person_box("push_up", 1, 0), np.float32)
        frame = FrameParse(1, box[None] * 2, keypoints=body(box)[None] * [2, 2, 1])
        save_record(known, "push_up_test_0", [frame], size=(128, 192))
        [sample] = [make(known, "test")[0]]
        np.testing.assert_allclose(sample["bbox"], box[None] - 0.5)
        np.testing.assert_allclose(sample["keypoints"][0], body(box)[:, :2] - 0.5, rtol=1e-5)

    def test_what_is_not_known(self, known):
        """Exactly at the threshold is known; a person all below it is no sample."""
        boxes = np.array([[10, 5, 30, 45], [55, 5, 75, 45], [1, 1, 3, 3]], np.float32)
        points = np.stack([body(box, score) for box, score in zip(boxes, (0.2, 0.2, 0.2))])
        points[1, 4] = [60, 20, 0.3]
        points[1, 5, :2] = np.nan
        save_record(known, "push_up_test_0", [FrameParse(1, boxes, keypoints=points), FrameParse(2, [])])
        dataset = make(known, "test")
        assert len(dataset) == 1
        sample = dataset[0]
        assert np.flatnonzero(sample["keypoints_visible"][0]).tolist() == [4]
        assert np.isfinite(sample["keypoints"]).all()
        np.testing.assert_allclose(sample["keypoints"][0, 4], [59.5, 19.5])
        with pytest.raises(InputError, match="has no keypoints of a test video"):
            make(known, "test", min_score=0.31)

    def test_score_zero_is_never_known(self, known):
        boxes = np.array([[10, 5, 30, 45], [55, 5, 75, 45]], np.float32)
        points = np.stack([body(box, 0.0) for box in boxes])
        points[1, 4, 2] = 0.01
        save_record(known, "push_up_test_0", [FrameParse(1, boxes, keypoints=points)])
        dataset = make(known, "test", min_score=0.0)
        assert len(dataset) == 1
        sample = dataset[0]
        assert np.flatnonzero(sample["keypoints_visible"][0]).tolist() == [4]

    def test_a_record_that_says_no_size_is_in_the_annotations_pixels(self, known, drawn):
        box = np.array(drawn.person_box("push_up", 1, 0), np.float32)
        save_record(known, "push_up_test_0", [FrameParse(1, box[None], keypoints=body(box)[None])], size=(0, 0))
        dataset = make(known, "test")
        assert len(dataset) == 1
        np.testing.assert_allclose(dataset[0]["bbox"], box[None] - 0.5)


class TestBadInput:
    def test_no_folder(self, tiny_root):
        with pytest.raises(InputError, match=r"keypoints is missing: write the synthetic data set, .*prepare_data.py"):
            make(tiny_root)

    def test_an_empty_folder(self, tiny_copy):
        (tiny_copy / "keypoints").mkdir()
        with pytest.raises(InputError, match="keypoints has no keypoints of a train video: write"):
            make(tiny_copy)

    def test_a_bad_record_costs_its_video(self, known):
        path = known / "keypoints" / "push_up_train_0.safetensors"
        info = {"format": "0", "header": json.dumps({})}
        save_file(load_file(path), path, info)
        dataset = make(known)
        assert len(dataset) == NUM_FRAMES * 2
        told = {
            problem.path.name: problem.message for problem in dataset.problems if problem.path.parent == path.parent
        }
        assert told.pop(path.name) == "has format 0, not 1: parse the video again"
        assert len(told) == 4 and all(message.startswith("is missing: write") for message in told.values())

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"num_frames": 11}, "is of a video of 11 frames, and .* has 12: write the synthetic data set"),
            ({"error": "cannot be decoded"}, "holds no parsed frame .cannot be decoded.: write"),
            ({"frames": []}, "holds no parsed frame .it is empty.: write"),
            ({"video": "push_up_train_1"}, "is of video push_up_train_1, not of push_up_train_0: write"),
            ({"size": (96, 64)}, "is of frames of 64 x 96 pixels, and .* has 96 x 64: write"),
            ({"frames": [FrameParse(1, [[0, 0, 9, 9]])]}, "has no keypoints of COCO's 17: write"),
            ({"frames": [FrameParse(1, [[0, 0, 9, 9]], keypoints=np.ones((1, 21, 3)))]}, "has no keypoints of COCO's"),
        ],
    )
    def test_records_that_do_not_fit(self, known, changes, message):
        frames = changes.pop("frames", [FrameParse(1, [])])
        path = save_record(known, "push_up_train_0", frames, **changes)
        [problem] = [problem for problem in make(known).problems if problem.path == path]
        assert problem.skipped == "video"
        with pytest.raises(AssertionError, match=message):
            raise AssertionError(problem.message)


def dot_picture(x: float, y: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A soft bright dot whose middle is at continuous coordinates (x, y)."""
    rows, columns = np.arange(size[0])[:, None] + 0.5, np.arange(size[1]) + 0.5
    light = 255 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 1.5**2))
    return np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)


def middle_of(image: np.ndarray) -> np.ndarray:
    """(x, y) of the light's centre of mass, where a pixel's centre is at whole numbers."""
    light = image[..., 0].astype(float)
    rows, columns = np.indices(light.shape)
    return np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()


@pytest.mark.usefixtures("scope")
class TestConvention:
    """A drawn dot and the keypoint that names it stay together through mmpose's transforms."""

    def through(self, steps, x=40.25, y=30.75, box=(20, 10, 60, 60)):
        points = np.tile([x, y, 1.0], (17, 1))
        sample = pose_sample(dot_picture(x, y), np.array(box, dtype=float), keypoints=points)
        return Compose([dict(type="mmpose.GetBBoxCenterScale"), *steps])(sample)

    @pytest.mark.parametrize("input_size", [(96, 128), (48, 64), (192, 256)])
    def test_crop(self, input_size):
        result = self.through([dict(type="mmpose.TopdownAffine", input_size=input_size)])
        np.testing.assert_allclose(middle_of(result["img"]), result["transformed_keypoints"][0, 0], atol=0.06)

    def test_flip_is_ours(self):
        result = self.through([dict(type="mmpose.RandomFlip", prob=1.0)])
        expected = flip_keypoints(np.tile([40.25, 30.75, 1.0], (17, 1)), SIZE[1])
        flipped = from_pose_network(result["keypoints"], result["keypoints_visible"])
        np.testing.assert_allclose(flipped, expected, atol=1e-5)
        np.testing.assert_allclose(middle_of(result["img"]), result["keypoints"][0, 0], atol=0.06)

    def test_left_becomes_right(self):
        points = np.zeros((17, 3))
        points[KEYPOINTS.index("left_wrist")] = [10, 20, 1]
        steps = Compose([dict(type="mmpose.GetBBoxCenterScale"), dict(type="mmpose.RandomFlip", prob=1.0)])
        result = steps(pose_sample(np.zeros((*SIZE, 3), np.uint8), np.array([0, 0, 50, 50.0]), keypoints=points))
        known = np.flatnonzero(result["keypoints_visible"][0])
        assert [KEYPOINTS[i] for i in known] == ["right_wrist"]
        np.testing.assert_allclose(result["keypoints"][0, known[0]] + 0.5, [86, 20])


@pytest.mark.parametrize("box", [[10, 10, 10, 10], [10, 10, 12, 12], [5, 5, 5, 60], [-20, -20, -10, -10]])
@pytest.mark.usefixtures("scope")
def test_any_box_gives_a_crop(box):
    steps = [dict(type="mmpose.GetBBoxCenterScale"), dict(type="mmpose.TopdownAffine", input_size=(96, 128))]
    result = Compose(steps)(pose_sample(np.full((*SIZE, 3), 200, np.uint8), np.array(box, dtype=np.float32)))
    assert result["img"].shape == (128, 96, 3)
    assert (result["input_scale"] > 0.9).all() and bool(result["img"].any()) == (box[0] >= 0)


def test_scores_are_cut():
    found = from_pose_network(np.zeros((1, 2, 2)), np.array([[1.2, -0.1]]))
    assert found.tolist() == [[0.5, 0.5, 1.0], [0.5, 0.5, 0.0]] and found.dtype == np.float32


class TestQuickConfig:
    @pytest.fixture
    def dataset(self, people_root, drawn):
        [config] = (drawn.QUICK / "pose_estimation").glob("*.py")
        from mmengine.registry import init_default_scope

        init_default_scope("tpsparse")
        cfg = load_config(config, options={"data_root": str(people_root)})
        return DATASETS.build(cfg.train_dataloader.dataset)

    def test_a_seed_decides_all(self, dataset):
        first, again, other = dataset[(1, 7)], dataset[(1, 7)], dataset[(1, 8)]
        assert first["inputs"].equal(again["inputs"]) and not first["inputs"].equal(other["inputs"])
        one, two = (item["data_samples"].gt_fields.heatmaps for item in (first, again))
        assert one.equal(two) and one.shape == (17, 32, 24)

    def test_targets_lie_where_the_keypoints_are(self, dataset):
        """The heatmap's peak, four pixels of the crop a cell, against the keypoint in the crop."""
        item = dataset[(0, 3)]["data_samples"]
        weights = item.gt_instance_labels.keypoint_weights[0]
        assert weights.sum() >= 12
        meta = item.metainfo
        points = item.gt_instances.keypoints[0]
        if meta.get("flip"):
            assert meta["flip_direction"] == "horizontal"
        inside = (points - meta["input_center"] + meta["input_scale"] / 2) / meta["input_scale"] * [96, 128]
        for heatmap, weight, (x, y) in zip(item.gt_fields.heatmaps.numpy(), weights, inside):
            if weight > 0:
                row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
                assert abs(column * 4 - x) <= 2.1 and abs(row * 4 - y) <= 2.1

    def test_no_warning_of_a_registry(self, dataset, capsys):
        cv2.setNumThreads(0)
        dataset[(0, 0)]
        told = capsys.readouterr()
        assert "Failed to search registry" not in told.out + told.err


@pytest.mark.parametrize(
    "name", ["pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192", "pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96"]
)
def test_targets_at_the_first_cells_lie_in_them(name, tiny_taxonomy):
    """mmpose moves a Gaussian that the edge cuts where three sigmas are no whole number."""
    [path] = (Path(__file__).parents[3] / "configs").rglob(f"{name}.py")
    codec = KEYPOINT_CODECS.build(load_config(path, taxonomy=tiny_taxonomy).codec)
    cell = codec.input_size[0] / codec.heatmap_size[0]
    wanted = np.arange(17) % 8
    places = np.column_stack([wanted * cell, np.full(17, 9 * cell)])[None].astype(np.float32)
    heatmaps = codec.encode(places, np.ones((1, 17), dtype=np.float32))["heatmaps"]
    assert (heatmaps.reshape(17, -1).argmax(axis=1) % codec.heatmap_size[0]).tolist() == wanted.tolist()


def test_boxes_for_mmpose():
    """Moved by half a pixel and otherwise to the last digit what they were; a side below a pixel grows to one."""
    boxes = np.array([[234.17516, 84.235756, 351.67502, 126.71751], [3, 4, 4, 5]], dtype=np.float32)
    assert np.array_equal(boxes_for_mmpose(boxes), boxes - np.float32(0.5))
    thin = np.array([[10, 20, 10.5, 40], [10, 20, 40, 20]], dtype=np.float32)
    assert boxes_for_mmpose(thin).tolist() == [[9.25, 19.5, 10.25, 39.5], [9.5, 19.0, 39.5, 20.0]]
    assert boxes_for_mmpose(np.zeros((0, 4))).shape == (0, 4)
