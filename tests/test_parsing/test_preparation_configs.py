"""Prepared batches against the pipelines of all configs, item by item: the same bytes, the same samples."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement

from tpsparse.datasets.tasks.poses import pose_sample
from tpsparse.datasets.transforms import CropPerson
from tpsparse.parsing.preparation import (
    Batch,
    ClipPreparation,
    FramePreparation,
    PersonPreparation,
    PosePreparation,
    find_preparation,
    persons,
)
from tpsparse.parsing.window import Window
from tpsparse.registry import SCOPE

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FLIP_PARTS = np.array([0, 2, 1])
OTHERS = ("_base_", "systems", "studies", "frame_features", "temporal_parsing", "feature_fusion")
FLOW, VIEWS, OBJECTS = "flow", "several views", "frames with their boxes"


@lru_cache
def found() -> dict[str, list[dict[str, Any]]]:
    """Config to its test pipeline, of every network that looks at pictures."""
    init_default_scope(SCOPE)
    paths = [path for path in sorted(CONFIGS.rglob("*.py")) if not set(OTHERS) & set(path.parts)]
    pipelines = {str(path.relative_to(CONFIGS)): Config.fromfile(path).get("test_pipeline") for path in paths}
    return {name: pipeline for name, pipeline in pipelines.items() if pipeline}


def distinct(kind: type) -> list[Any]:
    """Pipelines that a preparation knows, each once, under the name of the first config that has it."""
    chosen: dict[str, Any] = {}
    for name, pipeline in found().items():
        for known in ("frame", "person", "clip"):
            if type(find_preparation(pipeline, known)) is kind:
                chosen.setdefault(str(pipeline), pytest.param(pipeline, id=name.removesuffix(".py")))
    return list(chosen.values())


def unknown_kind(pipeline: list[dict[str, Any]]) -> str:
    names = [str(step["type"]) for step in pipeline]
    reasons = {"DecodeFlow": FLOW, "TestTimeAug": VIEWS, "ScaleFrame": OBJECTS}
    return next(reasons[name] for name in names if name in reasons)


@pytest.fixture(autouse=True)
def names_mean_ours(scope):
    """Pipelines are built by name."""


def test_all_are_known_but_those_that_are_told():
    """Whoever adds a pipeline says here who prepares it."""
    counts: Counter[str] = Counter()
    for pipeline in found().values():
        ways = [find_preparation(pipeline, kind) for kind in ("frame", "person", "clip")]
        [way] = [way for way in ways if way is not None] or [None]
        counts[unknown_kind(pipeline) if way is None else type(way).__name__] += 1
    assert counts == {
        "FramePreparation": 10,
        "PersonPreparation": 14,
        "PosePreparation": 2,
        "ClipPreparation": 39,
        FLOW: 6,
        VIEWS: 7,
        OBJECTS: 4,
    }


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def some_window(frames: int = 3, size: tuple[int, int] = (96, 128)) -> Window:
    """Persons inside, across every edge, outside, of no size, upright and lying; keypoints to match."""
    boxes = [[20, 10, 50, 90], [-30, -20, 40, 60], [100, 50, 180, 130], [300, 10, 350, 90], [40, 40, 40, 40]]
    boxes += [[3.3, 70.2, 120.7, 90.9], [10.5, 5.25, 10.9, 80.1]]
    boxes = torch.tensor(boxes, dtype=torch.float32)
    rng = np.random.default_rng(1)
    keypoints = torch.from_numpy(rng.uniform(0, 1, (len(boxes), 17, 3)).astype(np.float32))
    keypoints[..., :2] = boxes[:, None, :2] + keypoints[..., :2] * (boxes[:, None, 2:] - boxes[:, None, :2])
    keypoints[1, :, 2] = 0
    keypoints[2, 3] = torch.nan
    columns = dict(boxes=boxes, scores=torch.ones(len(boxes)), keypoints=keypoints)
    owner = torch.tensor([0, 0, 0, 2, 2, 2, 2])
    return Window(torch.from_numpy(noise(frames, *size)), [1, 6, 11][:frames], owner, columns)


def same(one: Any, other: Any, place: str = "") -> None:
    """Whether two packed values are the same: type, shape and bits."""
    if isinstance(one, BaseDataElement):
        assert type(one) is type(other), place
        assert set(one.all_keys()) == set(other.all_keys()), place
        assert set(one.metainfo_keys()) == set(other.metainfo_keys()), place
        for name in one.all_keys():
            same(one.get(name), other.get(name), f"{place}.{name}")
    elif isinstance(one, (np.ndarray, torch.Tensor)):
        assert type(one) is type(other) and one.dtype == other.dtype and one.shape == other.shape, place
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=place)
    else:
        assert type(one) is type(other) and one == other, f"{place}: {one} and {other}"


def compare(batch: Batch, items: list[dict[str, Any]]) -> None:
    """A batch against the items that the pipeline packs."""
    assert batch.inputs.dtype == torch.uint8 and batch.inputs.is_contiguous()
    assert len(batch) == len(items) == len(batch.inputs)
    for row, item in enumerate(items):
        assert torch.equal(batch.inputs[row], item["inputs"]), f"input {row}"
        same(batch.samples[row], item["data_samples"], f"sample {row}")


class TestFrames:
    @pytest.mark.parametrize("pipeline", distinct(FramePreparation))
    @pytest.mark.parametrize("size", [(96, 128), (72, 96), (101, 37)], ids=str)
    def test_every_pipeline(self, pipeline, size):
        images = noise(2, *size)
        facts = dict(img_shape=size, ori_shape=size, img_id=0, img_path="")
        items = [Compose(pipeline)(dict(img=image, **facts)) for image in images]
        compare(find_preparation(pipeline, "frame")(torch.from_numpy(images)), items)

    def test_to_one_size(self):
        pipeline = [dict(type="mmdet.Resize", scale=(40, 30)), dict(type="LoadBoxes"), dict(type="mmdet.PackDetInputs")]
        images = noise(2, 96, 128)
        facts = dict(img_shape=(96, 128), ori_shape=(96, 128), img_id=0, img_path="")
        items = [Compose(pipeline)(dict(img=image, **facts)) for image in images]
        compare(find_preparation(pipeline, "frame")(torch.from_numpy(images)), items)


class TestPersons:
    @pytest.mark.parametrize("pipeline", distinct(PersonPreparation))
    def test_every_pipeline(self, pipeline):
        window = some_window()
        items = [Compose(pipeline)(person_item(window, row)) for row in range(window.num_persons)]
        batch = find_preparation(pipeline, "person", flip_parts=FLIP_PARTS)(window, slice(0, window.num_persons))
        compare(batch, items)

    def test_some_of_them(self):
        window, prepare = some_window(), find_preparation(distinct(PersonPreparation)[0].values[0], "person")
        whole, some = prepare(window, slice(0, 7)), prepare(window, slice(2, 5))
        assert torch.equal(some.inputs, whole.inputs[2:5])
        assert [sample.frame_index for sample in some.samples] == [1, 11, 11]
        assert "flip_parts" not in some.samples[0]

    def test_keypoints_are_where_the_crop_has_them(self):
        """To the last bit, since a dot's place is rounded."""
        window, crop = some_window(), CropPerson(input_size=(31, 17))
        boxes, keypoints = (window.persons[name].numpy() for name in ("boxes", "keypoints"))
        found = persons.in_crops(keypoints, persons.grow_boxes(boxes, crop.input_size, crop.padding), 17)
        wanted = [crop(person_item(window, row))["keypoints"] for row in range(len(boxes))]
        np.testing.assert_array_equal(found, np.stack(wanted).astype(np.float64))

    @pytest.mark.parametrize("kind", [PersonPreparation, PosePreparation])
    def test_nobody(self, kind):
        for parameters in distinct(kind):
            batch = find_preparation(parameters.values[0], "person")(some_window(), slice(3, 3))
            assert len(batch) == 0 and batch.inputs.shape[:2] == (0, 3)


def person_item(window: Window, row: int) -> dict[str, Any]:
    frame = int(window.owner[row])
    facts = dict(flip_parts=FLIP_PARTS, video="", frame_index=window.numbers[frame])
    box, keypoints = (window.persons[name][row].numpy() for name in ("boxes", "keypoints"))
    return dict(img=window.images[frame].numpy(), box=box, keypoints=keypoints, **facts)


class TestPoses:
    @pytest.mark.parametrize("pipeline", distinct(PosePreparation))
    def test_every_pipeline(self, pipeline):
        window = some_window()
        boxes = window.persons["boxes"].numpy()
        items = [
            Compose(pipeline)(pose_sample(window.images[frame].numpy(), box))
            for frame, box in zip(window.owner.tolist(), boxes)
        ]
        compare(find_preparation(pipeline, "person")(window, slice(0, len(boxes))), items)


def decoded(frames: int, size: tuple[int, int], *, numbers: list[int], **more: Any) -> dict[str, Any]:
    """A sample behind ``DecodeFrames``: the frames of these numbers, from 1."""
    video = noise(frames, *size)
    facts = dict(filename="a (1).mp4", total_frames=frames, start_index=1, modality="RGB", label=-1)
    shapes = dict(original_shape=size, img_shape=size)
    images = [video[number - 1] for number in numbers]
    return dict(facts, frame_inds=np.array(numbers), imgs=images, **shapes, **more)


def behind_decoder(pipeline: list[dict[str, Any]]) -> Compose:
    kinds = [step["type"] for step in pipeline]
    return Compose(pipeline[kinds.index("DecodeFrames") + 1 :])


class TestClips:
    @pytest.mark.parametrize("pipeline", distinct(ClipPreparation))
    @pytest.mark.parametrize("size", [(48, 64), (64, 48)], ids=str)
    def test_every_pipeline(self, pipeline, size):
        """Two clips of three frames, whatever the config samples; the second sample begins where the first ends."""
        shape = dict(clip_len=3, num_clips=2)
        samples = [
            decoded(12, size, numbers=[1, 2, 3, 4, 5, 6], **shape),
            decoded(12, size, numbers=[5, 6, 7, 7, 1, 12], state_counts=np.arange(4), **shape),
        ]
        batch = find_preparation(pipeline, "clip")([dict(sample) for sample in samples])
        compare(batch, [behind_decoder(pipeline)(dict(sample)) for sample in samples])

    @pytest.mark.parametrize("shape", ["NCTHW", "NCHW"])
    @pytest.mark.parametrize("crop", ["CenterCrop", "ThreeCrop", None])
    @pytest.mark.parametrize("size", [(48, 64), (65, 48), (32, 32)], ids=str)
    def test_every_crop(self, shape, crop, size):
        cut = [dict(type=f"mmaction.{crop}", crop_size=24)] if crop else []
        ends = [dict(type="mmaction.FormatShape", input_format=shape), dict(type="mmaction.PackActionInputs")]
        pipeline = [dict(type="mmaction.Resize", scale=(-1, 24)), *cut, *ends]
        sample = decoded(4, size, numbers=[1, 2, 4, 4], clip_len=2, num_clips=2)
        batch = find_preparation(pipeline, "clip")([dict(sample)])
        compare(batch, [Compose(pipeline)(dict(sample))])

    def test_a_frame_of_several_samples_is_prepared_once(self, monkeypatch):
        prepare = find_preparation(distinct(ClipPreparation)[0].values[0], "clip")
        seen = []
        monkeypatch.setattr(
            ClipPreparation,
            "frames",
            lambda _, images: seen.append(len(images)) or torch.zeros(len(images), 1, 3, 2, 2),
        )
        numbers = ([1, 2, 3], [2, 3, 4], [4, 4, 4])
        samples = [decoded(4, (48, 64), numbers=each, clip_len=3, num_clips=1) for each in numbers]
        prepare(samples)
        assert seen == [4]
        # Of another video the same numbers are other frames, and without numbers nobody knows.
        prepare([samples[0], dict(samples[1], filename="b.mp4")])
        prepare([{name: value for name, value in sample.items() if name != "frame_inds"} for sample in samples])
        assert seen == [4, 6, 9]

    def test_frames_of_several_sizes(self):
        [wide] = [each.values[0] for each in distinct(ClipPreparation) if each.values[0][2].get("scale") == (64, 64)][
            :1
        ]
        [free] = [each.values[0] for each in distinct(ClipPreparation) if "sub-actions" in each.id][:1]
        samples = [
            decoded(3, size, numbers=[1, 2, 3], clip_len=3, num_clips=1) | dict(filename=str(size))
            for size in ((48, 64), (40, 60))
        ]
        items = [behind_decoder(wide)(dict(sample)) for sample in samples]
        compare(find_preparation(wide, "clip")(samples), items)
        uncropped = [step for step in free if "Crop" not in step["type"]]
        with pytest.raises(ValueError, match="frames of 2 samples have several sizes: prepare a video at a time"):
            find_preparation(uncropped, "clip")(samples)

    def test_nothing(self):
        with pytest.raises(ValueError, match="no sample"):
            find_preparation(distinct(ClipPreparation)[0].values[0], "clip")([])


class TestUnknown:
    """What does more than is known goes item by item."""

    DETECTOR = (dict(type="mmdet.Resize", scale=(40, 30), keep_ratio=True), dict(type="LoadBoxes"))
    PACKED = dict(type="mmdet.PackDetInputs")
    CROP = dict(type="CropPerson", input_size=(16, 8))
    RESIZE = dict(type="mmaction.Resize", scale=(-1, 24))
    CLIP = (dict(type="mmaction.FormatShape", input_format="NCTHW"), dict(type="mmaction.PackActionInputs"))

    @pytest.mark.parametrize(
        ("kind", "pipeline"),
        [
            ("frame", []),
            ("person", []),
            ("clip", []),
            ("frame", [*DETECTOR]),
            ("frame", [DETECTOR[0], PACKED]),
            ("frame", [*DETECTOR, dict(type="mmdet.RandomFlip", prob=1.0), PACKED]),
            ("frame", [dict(DETECTOR[0], interpolation="nearest"), DETECTOR[1], PACKED]),
            ("frame", [dict(DETECTOR[0], backend="pillow"), DETECTOR[1], PACKED]),
            ("frame", [dict(type="mmdet.Resize", scale_factor=0.5), DETECTOR[1], PACKED]),
            ("person", [CROP]),
            ("person", [dict(type="JitterBox"), CROP, dict(type="PackPart")]),
            ("person", [CROP, dict(type="PaintKeypoints", jitter=0.1), dict(type="PackPart")]),
            ("person", [CROP, dict(type="PackPoseInputs")][:1] + [dict(type="mmpose.PackPoseInputs")]),
            ("clip", [RESIZE, dict(type="mmaction.CenterCrop", crop_size=25), *CLIP]),
            ("clip", [RESIZE, dict(type="mmaction.ThreeCrop", crop_size=20), *CLIP]),
            ("clip", [dict(RESIZE, interpolation="nearest"), *CLIP]),
            ("clip", [dict(RESIZE, lazy=True), *CLIP]),
            ("clip", [RESIZE, dict(CLIP[0], collapse=True), CLIP[1]]),
            ("clip", [RESIZE, CLIP[0], dict(CLIP[1], meta_keys=("scale_factor",))]),
            ("clip", [RESIZE, CLIP[0], dict(CLIP[1], algorithm_keys=("label",))]),
            ("clip", [RESIZE, dict(type="mmaction.Flip"), *CLIP]),
        ],
    )
    def test_is_left_to_the_pipeline(self, kind, pipeline):
        assert find_preparation(pipeline, kind) is None

    def test_udp(self):
        ends = [dict(type="mmpose.GetBBoxCenterScale"), dict(type="mmpose.PackPoseInputs")]
        affine = dict(type="mmpose.TopdownAffine", input_size=(8, 16))
        assert find_preparation([ends[0], affine, ends[1]], "person") is not None
        assert find_preparation([ends[0], dict(affine, use_udp=True), ends[1]], "person") is None

    def test_kind(self):
        with pytest.raises(ValueError, match="kind is 'frames', expected one of frame, person, clip"):
            find_preparation([], "frames")
