"""The shell scripts: two processes on this machine give what one gives."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def launch(environment):
    def call(script, *arguments):
        command = ["bash", str(REPOSITORY / "tools" / script), *map(str, arguments)]
        return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=250)

    return call


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_training(launch, narrow_parts, tiny_root, tmp_path):
    hook = tmp_path / "told.py"
    hook.write_text(
        "import hashlib\n"
        "from mmengine.hooks import Hook\n"
        "from mmengine.dist import get_rank\n"
        "from tpsparse.registry import HOOKS\n"
        "@HOOKS.register_module()\n"
        "class TellHook(Hook):\n"
        "    def after_train(self, runner):\n"
        "        state = runner.model.module.parameters()\n"
        "        digest = hashlib.sha256(b''.join(p.detach().numpy().tobytes() for p in state)).hexdigest()\n"
        f"        open({str(tmp_path)!r} + f'/weights_{{get_rank()}}', 'w').write(digest)\n"
    )
    changes = {"train_cfg.max_epochs": 2, "custom_imports": dict(imports=["told"]), "default_hooks.logger.interval": 1}
    config = narrow_parts(tmp_path / "narrow.py", tiny_root, **{**changes, "log_level": "INFO"})
    text = config.read_text().replace("custom_hooks = [", "custom_hooks = [dict(type='TellHook'),", 1)
    config.write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\ndel sys\n" + text)
    done = launch("dist_train.sh", config, 2, "--work-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "weights_0").read_text() == (tmp_path / "weights_1").read_text()
    # 32 persons in batches of 8 in each of two processes: two iterations an epoch.
    assert re.findall(r"Epoch\(train\)\s+\[(\d)\]\[(\d)/2\]", done.stdout) == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("2", "2"),
    ]
    assert all(value != "nan" for value in re.findall(r" loss: (\S+)", done.stdout))
    found = torch.load(tmp_path / "run" / "epoch_2.pth", weights_only=True)["state_dict"]
    assert not any(name.startswith("module.") for name in found)


def test_system(launch, run_tool, drawn, quick_work_dir, tiny_copy, tmp_path, capsys):
    """Three videos, one of them broken: the second process gets one of them twice."""
    (tiny_copy / "test_videos" / "lunge" / "lunge_test_0.mp4").write_bytes(b"")
    common = ("--work-dir", quick_work_dir, "--cfg-options", f"data_root={tiny_copy}")
    assert run_tool("test", drawn.QUICK_SYSTEM, "--out", tmp_path / "one", *common) == 3
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("tps/")]
    done = launch("dist_test.sh", drawn.QUICK_SYSTEM, 2, "--out", tmp_path / "two", *common)
    assert done.returncode == 3, done.stderr[-3000:]
    assert [line for line in done.stdout.splitlines() if line.startswith("tps/")] == printed and len(printed) == 3
    assert done.stdout.count("test set: skipped 1 video, listed above") == 1

    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one.keys() == two.keys() and "submission.zip" in one and "report.json" in one
    records = {name for name in one if name.endswith(".safetensors")}
    assert len(records) == 2
    assert [name for name in one if one[name] != two[name] and name not in records] == []
    for name in records:  # whose header has its entries in any order
        alone, shared = load_file(tmp_path / "one" / name), load_file(tmp_path / "two" / name)
        assert alone.keys() == shared.keys()
        assert all(np.array_equal(alone[key], shared[key], equal_nan=True) for key in alone)


def test_network(launch, run_tool, narrow_parts, tiny_root, tmp_path, capsys):
    config = narrow_parts(tmp_path / "narrow.py", tiny_root, **{"train_cfg.max_epochs": 1})
    assert run_tool("train", config, "--work-dir", tmp_path / "run") == 0
    capsys.readouterr()
    assert run_tool("test", config, "--work-dir", tmp_path / "run") == 0
    printed = capsys.readouterr().out.splitlines()[-3:]
    done = launch("dist_test.sh", config, 2, "--work-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert all(line in done.stdout for line in printed)


def test_refused(launch, tmp_path):
    done = launch("dist_test.sh", tmp_path / "absent.py", 1)
    assert done.returncode == 2 and "absent.py is missing: see configs/" in done.stderr


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh", "slurm_test.sh"])
def test_usage(launch, script):
    done = launch(script)
    assert done.returncode == 2 and done.stderr.startswith("usage: ") and script in done.stderr
