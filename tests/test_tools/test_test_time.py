"""Choices of the test (sizes, mirror images, clips, crops): a network's own test and the stages that wrap it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny
import torch
from mmengine.config import Config

from tpsparse import apis
from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ClassifyVideo, DetectPersons, parser
from tpsparse.parsing.network import load_network
from tpsparse.structures import FrameParse, VideoParse

DETECTOR = tiny.quick_config("person_detection")
RECOGNIZERS = {
    name: next((tiny.QUICK / "action_recognition").glob(f"dap_{name}*rgb.py")) for name in ("swin", "timesformer")
}
CHILDREN = sorted(
    path
    for path in tiny.CONFIGS.rglob("*.py")
    if path.parent.name in ("person_detection", "part_parsing", "action_recognition")
    and path.stem.endswith(("flip", "views"))
)
ONE_VIEW = """
_base_ = "{base}"
tta_model = dict(type="MultiViewDetector")
steps = [[dict(type="mmdet.Resize", scale=_base_.image_scale, keep_ratio=True)]]
steps += [[dict(type="mmdet.RandomFlip", prob=0.0)]]
steps += [[dict(type="LoadBoxes")], [dict(type="mmdet.PackDetInputs", meta_keys=_base_.meta_keys)]]
test_pipeline = [dict(type="TestTimeAug", transforms=steps)]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""


def test_all_children_are_found():
    assert len(CHILDREN) == 13


@pytest.mark.parametrize("path", CHILDREN, ids=lambda path: str(path.relative_to(tiny.CONFIGS)))
def test_training_and_weights_are_the_base_configs(path):
    base = path.with_name(f"{path.stem.rpartition('_')[0]}.py")
    plain, changed = (Config.fromfile(file, lazy_import=False).to_dict() for file in (base, path))
    assert changed["work_dir"] == f"work_dirs/{base.stem}"
    assert changed["test_pipeline"] == changed["test_dataloader"]["dataset"]["pipeline"]
    # Parts are mirrored by the network itself, the others' views are made by the pipeline.
    assert (changed["test_pipeline"] == plain["test_pipeline"]) == (path.parent.name == "part_parsing")
    for cfg in (plain, changed):
        cfg["test_dataloader"]["dataset"].pop("pipeline")
        for name in ("max_testing_views", "flip_test"):
            cfg["model"].get("test_cfg", {}).pop(name, None)
        cfg["model"] = {key: value for key, value in cfg["model"].items() if value != {}}
    assert not {key for key in plain if plain[key] != changed[key]} - {"test_pipeline", "work_dir"}


@pytest.mark.parametrize(
    "path", [path for path in CHILDREN if path.stem.endswith("4x3-views")], ids=lambda path: path.stem
)
def test_four_clips_and_three_crops(path):
    steps = {step["type"]: step for step in Config.fromfile(path, lazy_import=False).test_pipeline}
    assert steps["mmaction.SampleFrames"]["num_clips"] == 4 and steps["mmaction.SampleFrames"]["test_mode"]
    crop, resize = steps["mmaction.ThreeCrop"], steps["mmaction.Resize"]
    # As high as the crop is: three of them cover the frame.
    assert resize["scale"] == (-1, crop["crop_size"]) and "TestTimeAug" not in steps


def child(base, choice):
    return base.with_name(f"{base.stem}_{choice}.py")


@pytest.fixture
def one_view(tmp_path):
    """The detector's config with its own size as the only view."""
    path = tmp_path / "one view (ö).py"
    path.write_text(ONE_VIEW.format(base=DETECTOR))
    return path


@pytest.fixture
def measure(run_tool, quick_work_dir, tiny_root, tmp_path):
    """Metrics of a config, by tools/test.py with the weights of its base config."""

    def call(config, base, *options):
        data = ["--cfg-options", f"data_root={tiny_root}", *options]
        out = tmp_path / f"out {config.stem}"
        given = [config, quick_work_dir / base.stem, "--work-dir", tmp_path / "work", "--out", out, *data]
        assert run_tool("test", *given) == 0
        return json.loads((out / "metrics.json").read_text())

    return call


@pytest.fixture
def detect(quick_work_dir, tiny_taxonomy, tiny_root):
    """What the stage of a config finds in three frames of a video, with the weights of the base config."""

    def call(config):
        stage = DetectPersons(
            config=str(config),
            checkpoint=str(quick_work_dir / DETECTOR.stem),
            taxonomy=tiny_taxonomy,
            options={"data_root": str(tiny_root)},
        )
        video = Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4")
        frames = [FrameParse(number, np.zeros((0, 4))) for number in (1, 6, 11)]
        stage.parse_frames(video.frames([1, 6, 11]), frames)
        for frame in frames:
            frame.check()
        return frames

    return call


class TestDetector:
    def test_one_view_measures_as_the_detector(self, measure, one_view):
        assert measure(one_view, DETECTOR) == measure(DETECTOR, DETECTOR)

    def test_one_view_parses_as_the_detector(self, detect, one_view):
        for frame, other in zip(detect(DETECTOR), detect(one_view), strict=True):
            assert len(frame) > 0
            np.testing.assert_array_equal(frame.boxes, other.boxes)
            np.testing.assert_array_equal(frame.scores, other.scores)
            for name, values in frame.features.items():
                np.testing.assert_array_equal(values, other.features[name])
            for name, values in frame.person_features.items():
                np.testing.assert_array_equal(values, other.person_features[name])

    def test_sizes_and_mirror_images(self, measure, detect):
        config = child(DETECTOR, "multi-scale-flip")
        assert {"person/AP", "person/context_top1", "person/instance_top1"} <= measure(config, DETECTOR).keys()
        plain, frames = detect(DETECTOR), detect(config)
        for frame, one in zip(frames, plain, strict=True):
            assert 0 < len(frame) <= 10 and (np.diff(frame.scores) <= 0).all()
            assert (frame.boxes >= -1e-3).all() and (frame.boxes <= [96.001, 64.001, 96.001, 64.001]).all()
            assert frame.scores[0] >= one.scores[0]
            assert not np.allclose(frame.features["context"], one.features["context"])


@pytest.mark.parametrize("choice", ["4x3-views", "flip"])
@pytest.mark.parametrize("name", RECOGNIZERS)
class TestRecognizers:
    def test_own_test(self, measure, name, choice):
        base = RECOGNIZERS[name]
        assert "acc/top1" in measure(child(base, choice), base)

    def test_stage(self, quick_work_dir, tiny_taxonomy, tiny_root, name, choice):
        base = RECOGNIZERS[name]
        video = Video(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")
        results = []
        for config in (base, child(base, choice)):
            stage = ClassifyVideo(
                name=name,
                config=str(config),
                checkpoint=str(quick_work_dir / base.stem),
                taxonomy=tiny_taxonomy,
                options={"data_root": str(tiny_root)},
            )
            parse = VideoParse(video.name, size=video.size, num_frames=video.num_frames, fps=video.fps)
            stage.parse_video(video, parse)
            assert parse.action_scores[name].sum() == pytest.approx(1, abs=1e-5)
            results.append(parse)
        one, several = results
        assert one.features[name].shape == several.features[name].shape
        assert not np.allclose(one.features[name], several.features[name])


def test_mirror_image_by_hand(quick_work_dir, tiny_taxonomy, tiny_root):
    """The mean of the network's scores on the clip and on its mirrored pixels."""
    base = RECOGNIZERS["timesformer"]
    given = (str(quick_work_dir / base.stem), tiny_taxonomy, {"data_root": str(tiny_root)})
    plain, merged = (load_network(str(config), *given) for config in (base, child(base, "flip")))
    path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
    sample = dict(filename=str(path), total_frames=12, start_index=1, modality="RGB", label=-1)
    [result] = merged.predict([merged.pipeline(dict(sample))])
    item = plain.pipeline(dict(sample))
    [one] = plain.predict([item])
    one = one.pred_score.clone()
    [other] = plain.predict([dict(item, inputs=item["inputs"].flip(-1))])
    torch.testing.assert_close(result.pred_score, (one + other.pred_score) / 2, rtol=1e-5, atol=1e-7)


class TestMisfits:
    @pytest.mark.parametrize(
        ("dropped", "told"),
        [
            ("tta_model", "makes several views and merges none: add tta_model"),
            ("test_pipeline", "has a tta_model and one view: add mmcv.TestTimeAug to test_pipeline"),
        ],
    )
    def test_views_without_merging_and_merging_without_views(
        self, one_view, dropped, told, quick_work_dir, tiny_taxonomy, tiny_root
    ):
        lines = [line for line in one_view.read_text().splitlines() if not line.startswith(dropped)]
        lines = [line.replace("pipeline=test_pipeline", "") for line in lines]
        one_view.write_text("\n".join(lines))
        folder = str(quick_work_dir / DETECTOR.stem)
        with pytest.raises(InputError, match=f"one view .*{told}$"):
            load_network(str(one_view), folder, tiny_taxonomy)
        cfg = load_config(one_view, options={"data_root": str(tiny_root)})
        with pytest.raises(InputError, match=f"one view .*{told}$"):
            apis.test(cfg, checkpoint=folder)


def test_a_record_knows_how_it_was_tested(one_view, quick_work_dir, tiny_taxonomy):
    folder = str(quick_work_dir / DETECTOR.stem)

    def mark(config):
        return parser.fingerprint(parser._identity(dict(config=str(config), checkpoint=folder), tiny_taxonomy))

    configs = [DETECTOR, one_view, child(DETECTOR, "multi-scale-flip")]
    marks = {mark(config) for config in configs}
    assert len(marks) == 3 and mark(one_view) in marks
    one_view.write_text(one_view.read_text().replace('"MultiViewDetector"', '"MultiViewDetector", note=1'))
    assert mark(one_view) not in marks
