"""tools/analysis/patterns.py on a tiny set with drawn videos and random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tiny
import tiny_tapos
import torch

NAME = "analysis/patterns"
CONFIGS = tiny.REPOSITORY / "configs/quick/temporal_parsing"
CONFIG = CONFIGS / "transparser_2xsps_1xb8_synthetic.py"


def keys_of(root, subset="val"):
    listed = json.loads((root / "tapos_annotation.json").read_text())
    return {
        f"{video}/{name}": facts["total_frames"]
        for video, instances in listed.items()
        for name, facts in instances.items()
        if facts["subset"] == subset
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set with videos of its three val instances, and a work folder with weights."""
    from tpsparse.models.temporal_parsing import TransParser

    folder = tmp_path_factory.mktemp("patterns")
    root = tiny_tapos.write_instances(folder / "é (data)")
    for key, length in keys_of(root).items():
        frames = [np.full((32, 48, 3), 4 * number, dtype=np.uint8) for number in range(length)]
        tiny.encode(root / "instances" / f"{key}.mp4", frames)
    torch.manual_seed(0)
    network = TransParser(tiny_tapos.CHANNELS, len(tiny_tapos.ACTIONS), unit=dict(num_patterns=5))
    (folder / "work").mkdir()
    torch.save({"state_dict": network.state_dict()}, folder / "work" / "epoch_1.pth")
    (folder / "work" / "last_checkpoint").write_text("epoch_1.pth")
    return root, folder / "work"


@pytest.fixture
def call(made, run_tool, tmp_path, capsys):
    def run(*arguments, config=CONFIG, root=made[0], options=()):
        given = [
            f"data_root={root}",
            f"test_dataloader.dataset.features={root / 'features' / 'tiny'}",
            f"model.channels={tiny_tapos.CHANNELS}",
            *options,
        ]
        places = ["--out", tmp_path / "out é", "--work-dir", made[1]]
        if config == CONFIG:
            given.append("model.unit.num_patterns=5")
        return run_tool(NAME, config, *arguments, *places, "--cfg-options", *given), capsys.readouterr()

    return run


def pictures(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def test_all_pictures(call, made, tmp_path):
    status, told = call()
    assert status == 0, told.err
    expected = sorted(["patterns.png", *(f"instances/{key}.png" for key in keys_of(made[0]))])
    assert pictures(tmp_path / "out é") == expected
    assert told.out.count(" is written\n") == 4


def test_named_instances_and_a_given_checkpoint(call, made, tmp_path):
    key = sorted(keys_of(made[0]))[1]
    status, told = call(made[1] / "epoch_1.pth", "--instance", key, "--patterns", 2)
    assert status == 0, told.err
    assert pictures(tmp_path / "out é") == [f"instances/{key}.png", "patterns.png"]


def test_missing_and_broken_videos_cost_their_frames(call, made, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(made[0], root)
    first, second, third = sorted(keys_of(root))
    (root / "instances" / f"{first}.mp4").unlink()
    (root / "instances" / f"{second}.mp4").write_bytes(b"no video")
    (root / "features" / "tiny" / f"{third}.safetensors").write_bytes(b"no features")
    status, told = call(root=root)
    # The instance whose features are broken is not drawn, nor is another in its place.
    assert status == 3 and pictures(tmp_path / "out é") == sorted(
        ["patterns.png", f"instances/{first}.png", f"instances/{second}.png"]
    )
    assert f"{first}.mp4: is missing" in told.err and "(skipped: picture)" in told.err
    assert told.err.count(f"{second}.mp4: ") == 1 and f"{third}.safetensors" in told.err


def test_an_unknown_instance(call, tmp_path):
    status, told = call("--instance", "nobody/s1 é")
    assert status == 2 and "has no usable instance nobody/s1 é: give one such as" in told.err
    assert not (tmp_path / "out é").exists()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (CONFIGS / "tcn_synthetic.py", "is of a parser without patterns"),
        (tiny.REPOSITORY / "configs/quick/feature_fusion/dap_mlp_1xb16_synthetic.py", "parses no instances"),
    ],
)
def test_configs_without_patterns(call, made, tmp_path, config, told):
    from tpsparse.models.temporal_parsing import BoundaryTCN

    weights = tmp_path / "tcn.pth"
    torch.save({"state_dict": BoundaryTCN(channels=tiny_tapos.CHANNELS, hidden_channels=4).state_dict()}, weights)
    options = ["model.hidden_channels=4"] if "tcn" in config.name else []
    status, output = call(weights, config=config, options=options)
    assert status == 2 and output.err.splitlines()[-1].startswith(f"error: config {config} {told}")


def test_no_weights(call, tmp_path):
    status, told = call(tmp_path / "missing.pth")
    assert status == 2 and "missing.pth is missing: train it with" in told.err
