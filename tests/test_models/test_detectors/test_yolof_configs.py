"""YOLOF's configs against what the PCF report (2022, section III.A) and mmdet's own YOLOF say."""

from __future__ import annotations

import copy
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.config import Config

from tpsparse.analysis.flops import official_sizes
from tpsparse.engine import load_config
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
PERSONS = CONFIGS / "person_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps.py"
PARTS = CONFIGS / "part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py"
QUICK_PERSONS = CONFIGS / "quick/person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py"
QUICK_PARTS = CONFIGS / "quick/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96.py"
MMDET = Path(mmdet.__file__).parent / ".mim/configs/yolof/yolof_r50-c5_8xb8-1x_coco.py"


def read(path, taxonomy=None):
    return load_config(path, taxonomy=taxonomy or official_sizes())


@pytest.fixture
def unset_weights(monkeypatch):
    """Full-size networks are counted and not run: drawing their weights is left out."""
    for name in [name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")]:
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.mark.parametrize("path", [PERSONS, PARTS], ids=["persons", "parts"])
class TestFullSize:
    def test_what_the_report_says(self, path):
        cfg = read(path)
        assert cfg.model.backbone.depth == 101
        optimizer = dict(type="SGD", lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
        assert cfg.optim_wrapper.optimizer.to_dict() == optimizer and "paramwise_cfg" not in cfg.optim_wrapper
        warm_up, steps = cfg.param_scheduler
        assert (warm_up.type, warm_up.begin, warm_up.end, warm_up.by_epoch) == ("LinearLR", 0, 1800, False)
        assert (steps.milestones, steps.gamma, cfg.train_cfg.max_epochs) == ([16, 22], 0.1, 24)
        assert (cfg.train_dataloader.batch_size, cfg.auto_scale_lr.base_batch_size) == (6, 24)

    def test_network_is_mmdets(self, path):
        """Apart from the depth, the classes, the anchors of crops and the choice of boxes."""
        stock, own = Config.fromfile(MMDET).model.to_dict(), copy.deepcopy(read(path).model.to_dict())
        assert (own["backbone"].pop("depth"), stock["backbone"].pop("depth")) == (101, 50)
        own["backbone"].pop("init_cfg"), stock["backbone"].pop("init_cfg")
        assert own["backbone"] == stock["backbone"] and own["neck"] == stock["neck"]
        assert own["train_cfg"] == stock["train_cfg"]
        assert (
            own["bbox_head"].pop("type") == "tpsparse.TiedYOLOFHead" and stock["bbox_head"].pop("type") == "YOLOFHead"
        )
        heads = [{**model["bbox_head"], "num_classes": None} for model in (own, stock)]
        anchors = [head.pop("anchor_generator") for head in heads]
        assert heads[0] == heads[1] and anchors[0]["strides"] == anchors[1]["strides"]
        assert len(anchors[0]["scales"]) == len(anchors[1]["scales"])

    def test_size_of_the_variant_that_is_known(self, path, unset_weights):
        # 44.16 million with ResNet-50 and 80 classes, as upstream's own config has.
        model = read(path).model
        model.backbone.update(depth=50, init_cfg=None)
        model.bbox_head.num_classes = 80
        weights = MODELS.build(model).parameters()
        assert sum(weight.numel() for weight in weights) / 1e6 == pytest.approx(44.16, abs=0.005)

    def test_colours_are_in_the_order_of_the_weights(self, path, scope):
        """Caffe's weights want blue, green, red, less their means; the data sets give red, green, blue."""
        cfg = read(path)
        preprocess = MODELS.build(dict(cfg.model.data_preprocessor, _scope_="mmdet"))
        red = torch.zeros(3, 32, 32, dtype=torch.uint8)
        red[0] = 255
        from mmdet.structures import DetDataSample

        sample = DetDataSample(metainfo=dict(img_shape=(32, 32)))
        pixel = preprocess(dict(inputs=[red], data_samples=[sample]), False)["inputs"][0, :, 0, 0]
        torch.testing.assert_close(pixel, torch.tensor([-103.53, -116.28, 255 - 123.675]))
        assert cfg.model.backbone.style == "caffe" and "resnet101_caffe" in cfg.model.backbone.init_cfg.checkpoint


def test_ten_persons_a_frame():
    assert read(PERSONS).model.test_cfg.max_per_img == read(QUICK_PERSONS).model.test_cfg.max_per_img == 10


@pytest.mark.parametrize("path", [PARTS, QUICK_PARTS], ids=["full size", "quick"])
class TestPoseGuided:
    def test_painted_alike_in_training_and_testing(self, path):
        cfg = read(path)
        steps = [
            [step for step in pipeline if step.type in ("CropPerson", "PaintKeypoints")]
            for pipeline in (cfg.train_dataloader.dataset.pipeline, cfg.test_pipeline)
        ]
        assert steps[0] == steps[1] and len(steps[0]) == 2
        names = [step.type for step in cfg.train_dataloader.dataset.pipeline]
        # What changes colours or sides comes before.
        assert names[-2:] == ["PaintKeypoints", "PackPartBoxes"] and "FlipPerson" in names[:-2]

    def test_keypoints_are_those_of_a_parsing_run(self, path):
        cfg = load_config(path, taxonomy=official_sizes(), options={"parses_dir": "here"})
        assert cfg.train_dataloader.dataset.keypoints == "here/keypoints/train"
        assert cfg.test_dataloader.dataset.keypoints == "here/keypoints/test"

    def test_without_pose_nothing_else_differs(self, path):
        guided, plain = (read(one).to_dict() for one in (path, path.with_name(f"{path.stem}_no-pose.py")))
        for cfg in (guided, plain):
            loaders = [cfg[f"{name}_dataloader"]["dataset"] for name in ("train", "test")]
            assert [loader.pop("keypoints") is None for loader in loaders] == [cfg is plain] * 2
            for pipeline in (cfg["test_pipeline"], cfg["train_pipeline"], *(loader["pipeline"] for loader in loaders)):
                names = [step["type"] for step in pipeline]
                assert ("PaintKeypoints" in names) == (cfg is guided)
                pipeline[:] = [step for step in pipeline if step["type"] != "PaintKeypoints"]
            cfg.pop("work_dir"), cfg.pop("filename", None)
        assert guided == plain

    def test_classes_are_the_parts(self, path):
        names = Taxonomy(parts=("head", "hip"), states=("none",), actions=("a",), objects=("none",))
        assert read(path, names).model.bbox_head.num_classes == 2
