"""A training that is killed and resumed ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
DETECTOR = REPOSITORY / "configs/quick/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"

# Ends its own process as a power cut would: in the second epoch's second iteration, or just before the second
# checkpoint gets its name.
KILLER = """
import os, signal
from mmengine.hooks import Hook
from tpsparse.registry import HOOKS

@HOOKS.register_module()
class KillHook(Hook):
    def __init__(self, moment):
        self.moment = moment
        if moment == "saving":
            replace = os.replace
            def dying(source, target):
                if str(target).endswith("epoch_2.pth"):
                    os.kill(os.getpid(), signal.SIGKILL)
                replace(source, target)
            os.replace = dying

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.moment == "iteration" and runner.epoch == 1 and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def narrow_detector(path: Path, root: Path) -> Path:
    cfg = Config.fromfile(DETECTOR)
    cfg.merge_from_dict(
        {
            "data_root": str(root),
            "train_cfg.max_epochs": 3,
            "train_dataloader.batch_size": 4,
            "train_dataloader.dataset.frame_step": 5,
            "model.backbone.base_channels": 8,
            "model.neck.in_channels": [size // 2 for size in cfg.model.neck.in_channels],
            "model.context_action.in_channels": cfg.model.context_action.in_channels // 2,
        }
    )
    for pipeline in (cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline):
        for step in pipeline:
            if "scale" in step:
                step.scale = (96, 64)
    cfg.dump(path)
    return path


def kill_in_the_middle(config: Path, work_dir: Path, moment: str, environment) -> None:
    (config.parent / "killer.py").write_text(KILLER)
    text = f"_base_ = [{str(config)!r}]\ncustom_imports = dict(imports=['killer'])\n"
    text += f"custom_hooks = [dict(type='EpochSeedHook'), dict(type='KillHook', moment={moment!r})]\n"
    deadly = config.with_name("deadly.py")
    deadly.write_text(text)
    paths = f"{config.parent}{os.pathsep}{REPOSITORY}"
    command = [sys.executable, str(REPOSITORY / "tools/train.py"), str(deadly), "--work-dir", str(work_dir)]
    done = subprocess.run(command, env=environment(PYTHONPATH=paths), capture_output=True, text=True, timeout=200)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert sorted(path.name for path in work_dir.glob("epoch_*")) == ["epoch_1.pth"] or moment == "saving"
    assert (work_dir / "last_checkpoint").read_text().endswith("epoch_1.pth")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "epoch_3.pth", weights_only=True)["state_dict"]


@pytest.mark.parametrize(("network", "moment"), [("parts", "iteration"), ("persons", "saving")])
def test_same_weights(network, moment, narrow_parts, tiny_root, tmp_path, run_tool, environment):
    write = narrow_parts if network == "parts" else narrow_detector
    config = write(tmp_path / "narrow.py", tiny_root)
    assert run_tool("train", config, "--work-dir", tmp_path / "whole") == 0
    kill_in_the_middle(config, tmp_path / "killed", moment, environment)
    # A folder that has been moved since goes on too.
    shutil.move(tmp_path / "killed", tmp_path / "moved")
    assert run_tool("train", config, "--resume", "--work-dir", tmp_path / "moved") == 0

    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "moved")
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    first = torch.load(tmp_path / "moved" / "epoch_2.pth", weights_only=True)["state_dict"]
    assert any(not torch.equal(first[name], found[name]) for name in found)


def test_seed_decides(narrow_parts, tiny_root, tmp_path, run_tool):
    config = narrow_parts(tmp_path / "narrow.py", tiny_root, **{"train_cfg.max_epochs": 1})
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        assert run_tool("train", config, "--seed", seed, "--work-dir", tmp_path / name) == 0
    found = {
        name: torch.load(tmp_path / name / "epoch_1.pth", weights_only=True)["state_dict"]
        for name in ("one", "same", "other")
    }
    assert all(found["one"][name].equal(found["same"][name]) for name in found["one"])
    assert not all(found["one"][name].equal(found["other"][name]) for name in found["one"])
