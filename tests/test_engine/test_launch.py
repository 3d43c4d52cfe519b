from __future__ import annotations

import logging
import re
import warnings
from datetime import timedelta

import pytest
import torch
from mmengine.config import Config

from tpsparse.engine import launch
from tpsparse.errors import InputError


class Started:
    """In place of a runner."""

    def __init__(self, cfg):
        self.cfg, self.logger = cfg, logging.getLogger("tests.launch")
        self.log_dir, self.timestamp = "run/20260101_000000", "20260101_000000"


NETWORK = dict(model=dict(type="ParsingHRNet"))


@pytest.fixture
def started(monkeypatch):
    """What would be started: the group, and the config that the runner gets."""
    calls: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda **kwargs: calls.append(kwargs))
    monkeypatch.setattr(launch.Runner, "from_cfg", classmethod(lambda cls, cfg: Started(cfg)))
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    for name in (*names, "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"):
        monkeypatch.delenv(name, raising=False)
    return calls


def test_one_process(started):
    cfg = launch.build_runner(Config(NETWORK), "none").cfg
    assert cfg.launcher == "none" and started == [] and "model_wrapper_cfg" not in cfg


def test_cpu_processes(started, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    cfg = launch.build_runner(Config(NETWORK), "pytorch").cfg
    assert started == [{"backend": "gloo"}]
    assert cfg.model_wrapper_cfg.device_ids is None  # GPU numbers would be handed over otherwise


def test_one_message_of_torch_is_left_out(started):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        launch.build_runner(Config(NETWORK), "none")
        for name in ("broadcast_buffers", "other_buffers"):
            warnings.warn(f"`{name}` is deprecated. Use `forward_sync_buffers` instead.", FutureWarning, stacklevel=1)
    assert [str(each.message)[:7] for each in caught] == ["`other_"]


@pytest.mark.parametrize("name", ["ActionParser", "tpsparse.ActionParser"])
def test_system_is_not_wrapped(started, monkeypatch, name):
    for variable in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(variable, "0")
    assert "model_wrapper_cfg" not in launch.build_runner(Config(dict(model=dict(type=name))), "pytorch").cfg


def test_wrapper_of_the_config_is_kept(started, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    own = dict(type="MMDistributedDataParallel", device_ids=None, find_unused_parameters=True)
    assert launch.build_runner(Config(dict(NETWORK, model_wrapper_cfg=own)), "pytorch").cfg.model_wrapper_cfg == own


def test_gpus_are_left_to_mmengine(started, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    cfg = launch.build_runner(Config(NETWORK), "pytorch").cfg
    assert started == [] and "model_wrapper_cfg" not in cfg


def test_slurm(started, monkeypatch):
    import os

    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.setenv(name, "")  # so that what is set here goes with the test
    for name in ("MASTER_ADDR", "MASTER_PORT"):  # exported by tools/slurm_*.sh
        monkeypatch.setenv(name, "0")
    for name, value in (("SLURM_PROCID", "3"), ("SLURM_NTASKS", "8"), ("SLURM_LOCALID", "1")):
        monkeypatch.setenv(name, value)
    launch.build_runner(Config(NETWORK), "slurm")
    assert [os.environ[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")] == ["3", "8", "1"]
    assert started == [{"backend": "gloo"}]


def test_slurm_outside_of_a_job(started, monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "8")
    with pytest.raises(InputError, match="launcher slurm needs SLURM_PROCID, SLURM_LOCALID: start with"):
        launch.build_runner(Config(NETWORK), "slurm")


def test_pytorch_outside_of_torchrun(started):
    with pytest.raises(InputError, match=r"launcher pytorch needs RANK, WORLD_SIZE, .*: start with"):
        launch.build_runner(Config(NETWORK), "pytorch")


def test_old_news_is_not_told_in_every_run(started, caplog):
    logger = launch.build_runner(Config(NETWORK)).logger
    logger.warning('"FileClient" will be deprecated in future')
    logger.warning("a.mp4: is empty")
    assert [record.getMessage() for record in caplog.records] == ["a.mp4: is empty"]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_of_the_config(threads):
    from tpsparse.engine import fix_threads

    before = torch.get_num_threads()
    try:
        fix_threads(Config(dict(num_threads=threads)))
        assert torch.get_num_threads() == threads
        fix_threads(Config(dict()))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_time_limit_of_the_config(started, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    limited = dict(NETWORK, env_cfg=dict(dist_cfg=dict(backend="nccl", timeout=90)))
    launch.build_runner(Config(limited), "pytorch")
    assert started == [{"backend": "gloo", "timeout": timedelta(seconds=90)}]


@pytest.mark.parametrize(("rank", "told"), [("0", "run/20260101_000000/20260101_000000.log"), ("1", "")])
def test_launcher_is_told_where_the_log_is(started, monkeypatch, tmp_path, rank, told):
    (tmp_path / "told").write_text("")
    monkeypatch.setenv(launch.LOG_FILE_TOLD, str(tmp_path / "told"))
    monkeypatch.setenv("LOCAL_RANK", rank)
    launch.build_runner(Config(NETWORK))
    assert (tmp_path / "told").read_text() == told


class TestLostPeer:
    @pytest.mark.parametrize(
        "told",
        [
            "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1234",
            "NCCL error in: ProcessGroupNCCL.cpp:1, remote process exited or there was a network error",
            "Connection reset by peer",
        ],
    )
    def test_told_from_other_errors(self, monkeypatch, told):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
        with pytest.raises(launch.LostPeerError, match=re.escape(told)), launch.noticing_lost_peers():
            raise RuntimeError(f"{told}\nmore")

    def test_other_errors_stay(self, monkeypatch):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
        with pytest.raises(RuntimeError, match="^out of memory$"), launch.noticing_lost_peers():
            raise RuntimeError("out of memory")

    def test_one_process_has_no_peers(self, monkeypatch):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: False)
        with pytest.raises(RuntimeError, match="gloo") as found, launch.noticing_lost_peers():
            raise RuntimeError("gloo")
        assert found.type is RuntimeError

    @pytest.mark.parametrize(
        ("rank", "launcher", "lines"), [("0", "", 1), ("1", "", 0), ("0", "some file", 0), ("1", "some file", 0)]
    )
    def test_told_once(self, monkeypatch, capsys, rank, launcher, lines):
        ended = []
        monkeypatch.setattr(launch.os, "_exit", ended.append)
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv(launch.LOG_FILE_TOLD, launcher)
        launch.end_after_lost_peer(launch.LostPeerError("Connection closed"))
        told = capsys.readouterr().err.splitlines()
        assert ended == [launch.LOST_PEER] and len(told) == lines
        assert all("start again with --resume" in line for line in told)


class TestSyncBN:
    def network(self, *, frozen: bool) -> torch.nn.Module:
        class Network(torch.nn.Sequential):
            def train(self, mode=True):
                super().train(mode)
                if frozen:
                    self[0].eval()
                return self

        return Network(torch.nn.BatchNorm2d(2), torch.nn.LayerNorm(2))

    def test_trained(self):
        launch.check_sync_bn(self.network(frozen=False), "a.py")

    @pytest.mark.parametrize("network", ["frozen", "none"])
    def test_nothing_to_synchronise(self, network):
        model = self.network(frozen=True) if network == "frozen" else torch.nn.LayerNorm(2)
        with pytest.raises(InputError, match=r"config a\.py trains no batch norm.*leave --sync-bn out"):
            launch.check_sync_bn(model, "a.py")


@pytest.mark.parametrize(
    ("launcher", "variables", "first"),
    [
        ("none", {}, True),
        ("none", {"RANK": "1", "SLURM_PROCID": "1"}, True),  # left over from something else
        ("pytorch", {"RANK": "0", "SLURM_PROCID": "1"}, True),
        ("pytorch", {"RANK": "1"}, False),
        ("pytorch", {}, True),  # what is missing is told when the processes meet
        ("slurm", {"SLURM_PROCID": "0", "RANK": "1"}, True),
        ("slurm", {"SLURM_PROCID": "1"}, False),
    ],
)
def test_the_first_process_has_the_folder_for_all(started, monkeypatch, tmp_path, launcher, variables, first):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launch.is_first_process(launcher) == first
    with launch.own_folder(tmp_path / "run", launcher):
        assert (tmp_path / "run" / ".lock").is_file() == first
    assert list(tmp_path.iterdir()) == []
