"""The stock functions' side of the pipeline's benchmark."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from tpsparse.engine import load_config
from tpsparse.taxonomy import Taxonomy

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NAMES = Taxonomy(parts=("head",), states=("none",), actions=("a", "b", "c"))
STAGES = {
    "DetectPersons": "person_detection/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py",
    "EstimatePose": "pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py",
    "ClassifyVideo": "action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py",
}


@pytest.fixture(scope="module")
def peers(benchmark):
    return benchmark("pipeline_peers")


@pytest.fixture
def outputs(peers):
    """One person in the first frame, two in the second."""
    counts = (1, 2)
    return peers.Outputs(
        boxes=[np.zeros((n, 4), np.float32) for n in counts],
        scores=[np.full(n, 0.5, np.float32) for n in counts],
        keypoints=[np.zeros((n, 17, 3), np.float32) for n in counts],
        action=np.array([0.25, 0.75]),
    )


def test_differences_by_hand(peers, outputs):
    other = copy.deepcopy(outputs)
    assert outputs.persons == 3 and set(peers.differences(outputs, other).values()) == {0.0}
    other.boxes[1][1, 2] = -0.5
    other.scores[0][0] = 0.25
    other.keypoints[1][0, 3] = (0.0, 2.0, 0.125)
    other.keypoints[0][0, 3] = (0.005, 0.0, 0.0)  # the same place
    other.action[0] = 0.375
    found = peers.differences(outputs, other)
    share = found.pop("keypoints beyond")
    assert share == pytest.approx(1 / (3 * 17))
    expected = {"boxes": 0.5, "scores": 0.25, "keypoints": 2.0, "keypoint scores": 0.125, "action scores": 0.125}
    assert found == expected


def test_other_persons_are_told(peers, outputs):
    fewer = copy.deepcopy(outputs)
    for name in ("boxes", "scores", "keypoints"):
        getattr(fewer, name)[1] = getattr(fewer, name)[1][:1]
    with pytest.raises(RuntimeError, match="as many persons"):
        peers.differences(outputs, fewer)


@pytest.mark.parametrize("stage", STAGES)
def test_configs_in_the_packages_own_terms(peers, stage):
    cfg = load_config(CONFIGS / STAGES[stage], taxonomy=NAMES)
    before = copy.deepcopy(cfg.model)
    stock = peers.stock_config(stage, cfg)
    assert cfg.model == before and stock.model.type == peers.STOCK[stage]
    assert "tpsparse" not in stock.pretty_text
    pipeline = stock.get("test_pipeline") or stock.test_dataloader.dataset.pipeline
    kinds = [step.type.rpartition(".")[2] for step in pipeline]
    assert (
        kinds
        == {
            "DetectPersons": ["LoadImageFromFile", "Resize", "PackDetInputs"],
            "EstimatePose": ["LoadImage", "GetBBoxCenterScale", "TopdownAffine", "PackPoseInputs"],
            "ClassifyVideo": [
                *("DecordInit", "SampleFrames", "DecordDecode", "Resize", "CenterCrop", "FormatShape"),
                "PackActionInputs",
            ],
        }[stage]
    )
    if stage == "ClassifyVideo":
        assert pipeline[1].num_clips == 7 and stock.model.cls_head.num_classes == 3
    else:
        assert stock.model.data_preprocessor.bgr_to_rgb, "these packages read BGR"
    assert not any("meta_keys" in step for step in pipeline), "what the package itself packs"


def test_same_weights(peers):
    one, two = nn.Linear(2, 2), nn.Linear(2, 2)
    two.load_state_dict(one.state_dict())
    peers.check_same_weights(one, two)
    two.bias.data[0] += 1
    with pytest.raises(RuntimeError, match="has not the weights"):
        peers.check_same_weights(one, two)
    with pytest.raises(RuntimeError, match="has not the weights"):
        peers.check_same_weights(one, nn.Linear(2, 2, bias=False))
