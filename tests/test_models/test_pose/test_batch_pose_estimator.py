"""The estimator of whole batches against mmpose's own predictions, with and without the mirrored look. J keypoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose

from tpsparse.datasets.tasks.poses import from_pose_network, pose_sample
from tpsparse.engine import load_config
from tpsparse.models.pose import BatchPoseEstimator
from tpsparse.registry import MODELS

BOXES = ([10, 5, 40, 60], [50.5, 5.25, 80, 60], [-20, -10, 30, 30], [90, 50, 91, 51], [1900, 1000, 1950, 1080])


@pytest.fixture(scope="module")
def config(drawn, tiny_taxonomy):
    [path] = (drawn.QUICK / "pose_estimation").glob("*.py")
    return load_config(path, taxonomy=tiny_taxonomy)


@pytest.fixture
def build(config, scope):
    """The quick network with random weights, and other choices."""

    def with_choices(**test_cfg):
        torch.manual_seed(0)
        model = MODELS.build(dict(config.model, test_cfg=dict(config.model.test_cfg, **test_cfg))).eval()
        # Random heatmaps have no peak to speak of; the last layer is let loose.
        torch.nn.init.normal_(model.head.final_layer.weight, std=0.3)
        return model

    return with_choices


@pytest.fixture
def data(config, scope):
    """A batch of persons as the pipeline prepares it, made anew at each call."""
    image = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)

    def make():
        items = [Compose(config.test_pipeline)(pose_sample(image, np.array(box, dtype=np.float32))) for box in BOXES]
        return {key: [item[key] for item in items] for key in ("inputs", "data_samples")}

    return make


def by_mmpose(model: BatchPoseEstimator, data: dict) -> np.ndarray:
    with torch.inference_mode():
        found = [result.pred_instances for result in model.test_step(data)]
    return np.stack([from_pose_network(each.keypoints, each.keypoint_scores) for each in found])


@pytest.mark.parametrize(
    "choices",
    [
        dict(flip_test=False),
        dict(flip_test=True),
        dict(flip_test=True, shift_heatmap=False),
        dict(flip_test=True, output_keypoint_indices=[3, 0, 16]),
    ],
    ids=str,
)
def test_is_mmposes_prediction(build, data, choices):
    model = build(**choices)
    with torch.inference_mode():
        found = model.keypoints_step(data())
    wanted = by_mmpose(model, data())
    assert found.shape == wanted.shape and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-4)
    assert len(np.unique(wanted[..., 0])) > 10  # there is something to compare


def test_mirroring_changes_the_numbers(build, data):
    with torch.inference_mode():
        plain, both = (build(flip_test=flip).keypoints_step(data()) for flip in (False, True))
    assert not torch.allclose(plain, both)


def test_other_codecs_are_decoded_by_mmpose(build, data, monkeypatch):
    model = build(flip_test=False)
    model.head.decoder.unbiased = True
    with torch.inference_mode():
        found = model.keypoints_step(data())
    np.testing.assert_allclose(found.numpy(), by_mmpose(model, data()), rtol=0, atol=1e-4)
    model.head.decoder.unbiased = False
    with torch.inference_mode():
        assert not torch.allclose(found, model.keypoints_step(data()))


def test_scores_are_cut(build, data):
    model = build(flip_test=False)
    values = iter([-3.0, 3.0])
    model.extract_feat = lambda inputs: inputs
    model.head.forward = lambda inputs: torch.full((len(inputs), 17, 32, 24), next(values))
    assert (model.keypoints_step(data())[..., 2] == 0).all()
    assert (model.keypoints_step(data())[..., 2] == 1).all()


def test_nobody(build):
    assert build().predict_keypoints(torch.zeros(0, 3, 128, 96), []).shape == (0, 17, 3)


def test_weights_and_interface_are_mmposes(build, config):
    model = build()
    stock = MODELS.build(dict(config.model, type="mmpose.TopdownPoseEstimator"))
    stock.load_state_dict(model.state_dict())
    assert isinstance(model, type(stock)) and not isinstance(stock, BatchPoseEstimator)
    assert BatchPoseEstimator.predict is type(stock).predict
