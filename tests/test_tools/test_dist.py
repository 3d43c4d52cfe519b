"""The shell scripts: two processes on this machine give what one gives."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tpsparse.parsing.network import read_checkpoint

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def launch(environment):
    def call(script, *arguments, **variables):
        command = ["bash", str(REPOSITORY / "tools" / script), *map(str, arguments)]
        return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=250)

    return call


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Tells the weights of each process, and where told so ends the second one as a lack of memory would.
HOOK = """
import hashlib, os, signal, time
from pathlib import Path
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from tpsparse.registry import HOOKS

@HOOKS.register_module()
class TellHook(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if os.environ.get("KILLED") == "1" and (runner.epoch, batch_idx, get_rank()) == (1, 0, 1):
            (Path(runner.work_dir) / "died").write_text(str(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train(self, runner):
        state = b"".join(value.detach().numpy().tobytes() for value in runner.model.module.parameters())
        (Path(runner.work_dir) / f"weights_{get_rank()}").write_text(hashlib.sha256(state).hexdigest())
"""


@pytest.fixture(scope="module")
def told_config(narrow_parts, tiny_root, tmp_path_factory):
    """Three epochs of two iterations in each of two processes."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "told.py").write_text(HOOK)
    changes = {"custom_imports": dict(imports=["told"]), "default_hooks.logger.interval": 1, "log_level": "INFO"}
    config = narrow_parts(folder / "narrow.py", tiny_root, **changes)
    text = config.read_text().replace("custom_hooks = [", "custom_hooks = [dict(type='TellHook'),", 1)
    config.write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\ndel sys\n" + text)
    return config


@pytest.fixture(scope="module")
def whole(told_config, environment, tmp_path_factory):
    """A training in two processes that nothing disturbs: its work folder and what it printed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    command = ["bash", str(REPOSITORY / "tools/dist_train.sh"), str(told_config), "2", "--work-dir", str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout


def told_weights(folder: Path) -> str:
    """A digest of the weights, which are the same in both processes."""
    first, second = ((folder / f"weights_{rank}").read_text() for rank in (0, 1))
    assert first == second
    return first


def saved(folder: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(str(folder / "epoch_3.pth"))["state_dict"]


def assert_same(one: Path, other: Path) -> None:
    """The same weights to the last bit, and the same statistics of batch norm in what is saved."""
    assert told_weights(one) == told_weights(other)
    expected, found = saved(one), saved(other)
    assert expected.keys() == found.keys() and all(expected[name].equal(found[name]) for name in expected)


def test_training(whole):
    folder, printed = whole
    assert told_weights(folder)
    # 32 persons in batches of 8 in each of two processes: two iterations an epoch.
    steps = [(str(epoch), str(step)) for epoch in (1, 2, 3) for step in (1, 2)]
    assert re.findall(r"Epoch\(train\)\s+\[(\d)\]\[(\d)/2\]", printed) == steps
    assert all(value != "nan" for value in re.findall(r" loss: (\S+)", printed))
    assert not any(name.startswith("module.") for name in saved(folder))


def test_killed_process_ends_the_job_which_goes_on(whole, told_config, launch, environment, tmp_path):
    done = launch("dist_train.sh", told_config, 2, "--work-dir", tmp_path / "run", KILLED=1)
    assert time.time() - float((tmp_path / "run" / "died").read_text()) < 60
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert "Traceback" not in done.stderr
    assert re.match(r"error: process 1 \(pid \d+ on \S+\) was killed by SIGKILL", line)
    [log] = re.findall(r"Log: (\S+\.log)\. Go on with the same command and --resume$", line)
    assert Path(log).is_file() and tmp_path in Path(log).parents
    assert (tmp_path / "run" / "epoch_1.pth").is_file() and not (tmp_path / "run" / "epoch_2.pth").exists()

    # On two nodes of one process each, where there was one node of two.
    port = free_port()
    places = [dict(NNODES=2, NODE_RANK=node, MASTER_ADDR="127.0.0.1", MASTER_PORT=port) for node in (0, 1)]
    script = REPOSITORY / "tools/dist_train.sh"
    run_nodes(environment, places, script, told_config, 1, "--work-dir", tmp_path / "run", "--resume")
    assert_same(whole[0], tmp_path / "run")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_nodes(environment, places, *command) -> list[str]:
    """What the nodes of a job, all of them on this machine, print."""
    pipe = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = ["bash", *map(str, command)]
    nodes = [subprocess.Popen(run, env=environment(**place), **pipe) for place in places]
    ended = [node.communicate(timeout=250) for node in nodes]
    assert [node.returncode for node in nodes] == [0] * len(nodes), ended[0][1][-3000:]
    return [printed for printed, _ in ended]


def test_nodes_that_meet_by_a_name(environment, tmp_path):
    """Without ranks of the nodes."""
    script = tmp_path / "count.py"
    script.write_text(
        "import torch, torch.distributed as group\n"
        "group.init_process_group('gloo')\n"
        "ranks = torch.tensor([1 + group.get_rank()])\n"
        "group.all_reduce(ranks)\n"
        "print('sum', ranks.item())\n"
        "group.destroy_process_group()\n"
    )
    places = [dict(NNODES=2, RDZV_ENDPOINT=f"localhost:{free_port()}", RDZV_ID="test")] * 2
    assert run_nodes(environment, places, REPOSITORY / "tools/launch.sh", 1, script) == ["sum 3\n"] * 2


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


def test_slurm(environment, narrow_parts, tiny_root, tmp_path):
    """A stand-in for srun starts the tasks on this machine, as slurm would name them on two nodes."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "srun").write_text(FAKE_SRUN)
    (bin_ / "scontrol").write_text("#!/usr/bin/env bash\n[ \"$3\" = 'host[1-2]' ] && echo localhost && echo other\n")
    for path in bin_.iterdir():
        path.chmod(0o755)
    config = narrow_parts(tmp_path / "narrow.py", tiny_root, **{"train_cfg.max_epochs": 1, "log_level": "INFO"})
    paths = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    variables = environment(PATH=paths, GPUS=2, GPUS_PER_NODE=1, TOLD=tmp_path / "told", SLURM_JOB_ID=free_port())
    command = ["bash", str(REPOSITORY / "tools/slurm_train.sh"), "part", "job", str(config)]
    command += ["--work-dir", str(tmp_path / "run")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "--ntasks=2 --ntasks-per-node=1 --gres=gpu:1" in (tmp_path / "told").read_text()
    assert re.findall(r"Distributed launcher: (\w+)", done.stdout) == ["slurm"]
    assert re.findall(r"GPU number: (\d+)", done.stdout) == ["2"]
    assert (tmp_path / "run" / "epoch_1.pth").is_file()


FAKE_SRUN = """#!/usr/bin/env bash
options=()
while [ "$1" != bash ]; do options+=("$1"); shift; done
echo "${options[*]}" > "$TOLD"
export SLURM_NTASKS=2 SLURM_JOB_NODELIST='host[1-2]' SLURM_LOCALID=0
SLURM_PROCID=0 "$@" & first=$!
SLURM_PROCID=1 "$@" & second=$!
wait $first && wait $second
"""


def test_refused(launch, tmp_path):
    done = launch("dist_test.sh", tmp_path / "absent.py", 1)
    assert done.returncode == 2 and "absent.py is missing: see configs/" in done.stderr


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh", "slurm_test.sh"])
def test_usage(launch, script):
    done = launch(script)
    assert done.returncode == 2 and done.stderr.startswith("usage: ") and script in done.stderr
