"""Random weights with the numbers of trained ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

QUICK = Path(__file__).resolve().parents[2] / "benchmarks" / "pipeline_configs" / "quick.py"


@pytest.fixture(scope="module")
def weights(benchmark):
    return benchmark("pipeline_weights")


class Small(nn.Module):
    """A convolution, its norm and a last layer called as those of a recognizer are."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.cls_head = nn.Module()
        self.cls_head.fc_cls = nn.Linear(8, 50)

    def test_step(self, data):
        [image] = data["inputs"]
        return self.cls_head.fc_cls(self.norm(self.conv(image[None])).relu().mean(dim=(2, 3)))


def test_norms_and_last_layers_by_the_inputs(weights):
    torch.manual_seed(0)
    model = Small().eval()
    items = [dict(inputs=5 + 3 * torch.randn(3, 16, 16)) for _ in range(3)]
    weights.calibrate(model, items)
    convolved = torch.cat([model.conv(item["inputs"][None]) for item in items]).detach()
    mean = torch.stack([each.mean(dim=(1, 2)) for each in convolved]).mean(dim=0)
    assert torch.allclose(model.norm.running_mean, mean, atol=1e-5)
    assert not model.norm.training and model.norm.momentum == 0.1
    outputs = model.test_step({"inputs": [items[0]["inputs"]]}).detach()
    assert outputs.std() == pytest.approx(weights.SPREADS["cls_head.fc_cls"], rel=1e-4)
    assert outputs.mean() == pytest.approx(0, abs=1e-5)


def test_system_of_random_weights(weights, tmp_path):
    from tpsparse.apis import build_parser
    from tpsparse.parsing import ActionParser

    frames = np.random.default_rng(0).integers(0, 256, (2, 144, 192, 3), dtype=np.uint8)
    weights.make_weights(QUICK, tmp_path, frames)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/epoch_1.pth")}
    assert len(written) == 3
    weights.make_weights(QUICK, tmp_path, frames)
    assert {path: path.stat().st_mtime_ns for path in written} == written, "made once"
    parser, taxonomy = build_parser(QUICK, work_dir=tmp_path)
    assert isinstance(parser, ActionParser) and len(taxonomy.actions) == 24
    weights.make_weights(QUICK, tmp_path / "again", frames)
    [first, again] = (
        torch.load(next(folder.glob("pcf_tsn*/epoch_1.pth"))) for folder in (tmp_path, tmp_path / "again")
    )
    assert all(torch.equal(value, again["state_dict"][name]) for name, value in first["state_dict"].items())


def test_nothing_is_downloaded(weights):
    model = dict(backbone=dict(pretrained="https://x", init_cfg=dict(type="Pretrained")), heads=[dict(init_cfg=1, a=2)])
    assert weights._without_pretraining(model) == dict(backbone=dict(pretrained=None), heads=[dict(a=2)])
