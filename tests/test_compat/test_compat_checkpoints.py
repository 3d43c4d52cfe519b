from __future__ import annotations

import errno
import os
import re
import uuid
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

import tpsparse  # noqa: F401 - sets up the mends
from tpsparse.compat import checkpoints
from tpsparse.errors import InputError, UnwritableError

pytest.importorskip("mmengine")
from mmengine.config import ConfigDict  # noqa: E402
from mmengine.evaluator import BaseMetric  # noqa: E402
from mmengine.fileio import LocalBackend  # noqa: E402
from mmengine.hooks import Hook  # noqa: E402
from mmengine.logging import HistoryBuffer, MessageHub, MMLogger  # noqa: E402
from mmengine.model import BaseModel  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402
from mmengine.runner import CheckpointLoader, Runner, find_latest_checkpoint, load_checkpoint  # noqa: E402
from mmengine.visualization import Visualizer  # noqa: E402


@pytest.fixture(autouse=True)
def fresh_globals(monkeypatch):
    """Keep what a Runner registers for the whole process out of other tests."""
    for kind in (DefaultScope, MMLogger, MessageHub, Visualizer):
        monkeypatch.setattr(kind, "_instance_dict", kind._instance_dict.copy())


class Line(BaseModel):
    """y = w x + b, which training pulls to zero."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        nn.init.constant_(self.layer.weight, 1.5)
        nn.init.constant_(self.layer.bias, -0.5)

    def forward(self, x, mode):
        out = self.layer(torch.stack(list(x)))
        return {"loss": (out**2).mean()} if mode == "loss" else list(out)


class Points(Dataset):
    metainfo = {
        "classes": ("a",),
        "sigmas": np.ones(3, dtype=np.float32),
        "groups": {"left", "right"},
        "nested": ConfigDict(colour=[1, 2, 3], more={"name": "b"}),
    }

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"x": torch.full((2,), float(index + 1))}


class Rising(BaseMetric):
    """Gives 1, 2, 3 ..., so that every epoch is the best one yet."""

    count = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        self.count += 1
        return {"acc": float(self.count)}


class StopAfter(Hook):
    """Ends a run like Ctrl-C after so many epochs."""

    def __init__(self, epochs):
        self.epochs = epochs

    def before_train_epoch(self, runner):
        if runner.epoch == self.epochs:
            raise KeyboardInterrupt


def make_runner(work_dir, epochs, **settings):
    loader = {
        "batch_size": 2,
        "dataset": Points(),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "num_workers": 0,
    }
    hook = dict(type="CheckpointHook", interval=1, max_keep_ckpts=1, **settings.pop("checkpoint", {}))
    return Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper={"type": "OptimWrapper", "optimizer": {"type": "AdamW", "lr": 0.1}},
        param_scheduler=[
            {"type": "LinearLR", "start_factor": 0.1, "end": 2, "by_epoch": True},
            {"type": "MultiStepLR", "milestones": [3], "by_epoch": True},
        ],
        default_hooks={"checkpoint": hook, "logger": {"type": "LoggerHook", "interval": 1}},
        custom_hooks=[{"type": "EMAHook"}],
        randomness={"seed": 0},
        experiment_name=uuid.uuid4().hex,
        log_level="ERROR",
        **settings,
    )


def with_validation():
    loader = {
        "batch_size": 2,
        "dataset": Points(),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "num_workers": 0,
    }
    return {
        "val_dataloader": loader,
        "val_cfg": {},
        "val_evaluator": [Rising()],
        "checkpoint": {"save_best": "acc", "rule": "greater"},
    }


class Trap:
    """Runs a call of the attacker's choice when a plain unpickler reads it."""

    def __init__(self, call, *args):
        self.call = call, args

    def __reduce__(self):
        return self.call


def save_trap(folder, *, keep_model=True):
    mark = folder / "mark"
    content = {"state_dict": Line().state_dict() if keep_model else {}, "meta": {"epoch": 1, "iter": 2}}
    torch.save({**content, "message_hub": Trap(os.mkdir, str(mark))}, folder / "trap.pth")
    return str(folder / "trap.pth"), mark


def test_save_and_resume_round_trip(tmp_path):
    straight = make_runner(tmp_path / "straight", 4)
    straight.train()
    stopped = make_runner(tmp_path / "broken", 4)
    stopped.register_hook(StopAfter(2))
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    resumed = make_runner(tmp_path / "broken", 4, resume=True)
    resumed.train()
    assert resumed.epoch == 4
    assert resumed.message_hub.get_scalar("train/lr").data[0].tolist() == pytest.approx(
        [0.01] * 2 + [0.1] * 4 + [0.01] * 2
    )
    assert resumed.message_hub.get_scalar("train/loss").data[0].size == 8
    for ours, theirs in zip(resumed.model.parameters(), straight.model.parameters()):
        torch.testing.assert_close(ours, theirs)
    saved = torch.load(tmp_path / "broken" / "epoch_4.pth")
    assert saved["meta"]["dataset_meta"]["nested"] == {"colour": [1, 2, 3], "more": {"name": "b"}}
    assert saved["meta"]["dataset_meta"]["groups"] == {"left", "right"}


def test_resume_does_not_run_the_config_in_a_checkpoint(tmp_path):
    make_runner(tmp_path / "work", 1).train()
    path, mark = tmp_path / "work" / "epoch_1.pth", tmp_path / "mark"
    content = torch.load(path)
    content["meta"]["config"] = f"import os\nos.mkdir({str(mark)!r})\n"
    torch.save(content, path)
    runner = make_runner(tmp_path / "work", 2, resume=True)
    runner.train()
    assert runner.epoch == 2
    assert not mark.exists()


@pytest.mark.parametrize("package", [b"numpy.core", b"numpy._core"])
def test_files_of_either_numpy_load(tmp_path, package):
    torch.save([np.float32(2), np.arange(3)], tmp_path / "here.pth")
    with zipfile.ZipFile(tmp_path / "here.pth") as here, zipfile.ZipFile(tmp_path / "there.pth", "w") as there:
        for name in here.namelist():
            there.writestr(name, re.sub(rb"numpy\._?core", package, here.read(name)))
    assert package + b".multiarray" in (tmp_path / "there.pth").read_bytes()
    number, array = torch.load(tmp_path / "there.pth")
    assert number == 2
    assert array.tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64])
def test_numpy_values_load(tmp_path, dtype):
    torch.save([np.ones((2, 2), dtype), dtype(1)], tmp_path / "values.pth")
    array, number = torch.load(tmp_path / "values.pth")
    assert array.dtype == number.dtype == dtype
    assert array.all()
    assert number == 1


def test_the_trap_works_where_it_is_not_refused(tmp_path):
    path, mark = save_trap(tmp_path)
    torch.load(path, weights_only=False)
    assert mark.is_dir()


def test_load_checkpoint_refuses_code(tmp_path):
    path, mark = save_trap(tmp_path)
    with pytest.raises(InputError, match=r"trap\.pth was refused: it asks for \S*mkdir") as caught:
        load_checkpoint(Line(), path)
    assert "\n" not in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("resume", [True, False])
def test_runner_refuses_code(tmp_path, resume):
    path, mark = save_trap(tmp_path)
    runner = make_runner(tmp_path / "work", 3, load_from=path, resume=resume)
    with pytest.raises(InputError, match="trap.pth was refused"):
        runner.train()
    assert not mark.exists()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (HistoryBuffer, "update"),
        (HistoryBuffer, "__init__"),
        (np.ndarray, "tofile"),
        (HistoryBuffer.min, "__globals__"),
    ],
)
def test_getattr_gives_statistics_only(tmp_path, owner, name):
    # A method of an allowed type is itself written as such a call, so that the last case nests two of them.
    torch.save({"value": Trap(getattr, owner, name)}, tmp_path / "reach.pth")
    with pytest.raises(InputError, match="refused"):
        CheckpointLoader.load_checkpoint(str(tmp_path / "reach.pth"))
    torch.save({"value": Trap(getattr, HistoryBuffer, "min")}, tmp_path / "min.pth")
    assert CheckpointLoader.load_checkpoint(str(tmp_path / "min.pth"))["value"] is HistoryBuffer.min


def test_calls_of_methods_are_refused(tmp_path):
    torch.save({"value": Trap(HistoryBuffer.min, HistoryBuffer([1.0], [1]))}, tmp_path / "call.pth")
    with pytest.raises(InputError, match=r"refused: it asks for HistoryBuffer\.min"):
        CheckpointLoader.load_checkpoint(str(tmp_path / "call.pth"))


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_file_cut_short_is_named(tmp_path, kept):
    path = tmp_path / "cut.pth"
    torch.save(Line().state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(InputError, match=r"cut\.pth is not a whole checkpoint") as caught:
        CheckpointLoader.load_checkpoint(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_text_file_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.pth was not found"):
        CheckpointLoader.load_checkpoint(str(tmp_path / "absent.pth"))
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    with pytest.raises(InputError, match=r"page\.pth is not a whole checkpoint"):
        CheckpointLoader.load_checkpoint(str(tmp_path / "page.pth"))


def test_other_errors_pass(tmp_path, monkeypatch):
    path = tmp_path / "good.pth"
    torch.save({}, path)

    def fail(*args, **kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        CheckpointLoader.load_checkpoint(str(path))


def test_downloads_use_the_safe_loader(tmp_path, monkeypatch):
    path, mark = save_trap(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    # torch's cache is filled, so that nothing is fetched.
    cache = tmp_path / "home" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    os.replace(path, cache / "trap.pth")
    with pytest.raises(InputError, match="trap.pth was refused"):
        CheckpointLoader.load_checkpoint("https://localhost/trap.pth")
    assert not mark.exists()


@pytest.mark.parametrize("write", [LocalBackend.put, LocalBackend.put_text])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, write):
    path = tmp_path / "file"
    path.write_text("old")
    content = b"new" if write is LocalBackend.put else "new"

    def full_disk(source, target):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.os, "replace", full_disk)
        with pytest.raises(OSError, match="No space"):
            write(LocalBackend(), content, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    write(LocalBackend(), content, path)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_write_stopped_midway_leaves_nothing(tmp_path, stop):
    with pytest.raises(stop), checkpoints.open_whole(tmp_path / "new", "w") as file:
        file.write("half")
        raise stop
    assert os.listdir(tmp_path) == []


def test_open_whole_follows_links_keeps_the_umask_and_writes_to_devices(tmp_path):
    target = tmp_path / "target"
    target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    with checkpoints.open_whole(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_text() == "new"
    (tmp_path / "plain").write_text("")
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode
    with checkpoints.open_whole(os.devnull, "w") as file:
        file.write("gone")
    assert not Path(os.devnull).is_file()


def test_put_makes_the_folder(tmp_path, monkeypatch):
    LocalBackend().put(b"a", tmp_path / "new" / "folder" / "file")
    LocalBackend().put_text("\u00e9", str(tmp_path / "other" / "file"), encoding="latin-1")
    assert (tmp_path / "other" / "file").read_bytes() == b"\xe9"
    monkeypatch.chdir(tmp_path)
    LocalBackend().put(b"a", "bare")
    assert (tmp_path / "bare").read_bytes() == b"a"


def assert_whole(folder):
    """``last_checkpoint`` names a checkpoint that loads, once there is one; so does the best one's name."""
    name = find_latest_checkpoint(str(folder))
    if name is not None:
        assert torch.load(name)["state_dict"]


def test_a_whole_checkpoint_exists_at_every_moment(tmp_path, monkeypatch):
    moments = []

    def watch(function):
        def watched(*args, **kwargs):
            assert_whole(tmp_path)
            out = function(*args, **kwargs)
            assert_whole(tmp_path)
            best = list(tmp_path.glob("best_*.pth"))
            assert best or not any("best" in moment for moment in moments)
            moments.append(f"{function.__name__} {Path(args[-1]).name}")
            return out

        return watched

    monkeypatch.setattr(checkpoints.os, "replace", watch(os.replace))
    monkeypatch.setattr(LocalBackend, "remove", watch(LocalBackend.remove))
    make_runner(tmp_path, 3, **with_validation()).train()
    # Three epochs: each removal comes after the write that follows it in meaning.
    assert moments.index("replace best_acc_epoch_2.pth") < moments.index("remove best_acc_epoch_1.pth")
    assert moments.index("replace epoch_3.pth") < moments.index("remove epoch_2.pth")
    # Twice an epoch: once after training, and again with the best score.
    assert moments.count("replace last_checkpoint") == 6
    left = {path.name for path in tmp_path.iterdir() if path.suffix in (".pth", ".tmp")}
    assert left == {"epoch_3.pth", "best_acc_epoch_3.pth"}


def test_a_run_stopped_while_saving_resumes(tmp_path, monkeypatch):
    make_runner(tmp_path, 1).train()
    real_fsync = os.fsync

    def stop(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        make_runner(tmp_path, 2, resume=True).train()
    assert_whole(tmp_path)
    monkeypatch.setattr(checkpoints.os, "fsync", real_fsync)
    runner = make_runner(tmp_path, 3, resume=True)
    runner.train()
    assert runner.epoch == 3
    assert [path.name for path in tmp_path.glob("*.pth*")] == ["epoch_3.pth"]


def test_what_a_killed_run_has_not_removed_is_removed(tmp_path, monkeypatch):
    """One that was stopped between writing a checkpoint and removing the one before it."""
    make_runner(tmp_path / "run", 1).train()
    real_remove = LocalBackend.remove

    def stop(backend, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalBackend, "remove", stop)
    with pytest.raises(KeyboardInterrupt):
        make_runner(tmp_path / "run", 3, resume=True).train()
    assert find_latest_checkpoint(str(tmp_path / "run")).endswith("epoch_2.pth")
    monkeypatch.setattr(LocalBackend, "remove", real_remove)
    (tmp_path / "run").rename(tmp_path / "moved")  # a folder that has been moved since is cleaned up too
    (tmp_path / "moved" / "epoch_9.pth").touch()  # somebody else's
    load_from = str(tmp_path / "moved" / "epoch_2.pth")
    make_runner(tmp_path / "moved", 2, resume=True, load_from=load_from).train()
    assert sorted(path.name for path in (tmp_path / "moved").glob("*.pth")) == ["epoch_2.pth", "epoch_9.pth"]


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, UnwritableError), (errno.EIO, OSError)])
def test_a_full_disk_is_told_with_the_file(tmp_path, monkeypatch, number, told):
    def stop(descriptor):
        raise OSError(number, "so it is")

    monkeypatch.setattr(checkpoints.os, "fsync", stop)
    with pytest.raises(told) as error, checkpoints.open_whole(tmp_path / "a.pth", "w", durable=True) as file:
        file.write("words")
    assert type(error.value) is told and list(tmp_path.iterdir()) == []
    assert told is OSError or str(error.value) == f"{tmp_path / 'a.pth'} cannot be written (so it is): make room there"


def test_a_checkpoint_written_anew_under_its_name_stays(tmp_path):
    runner = make_runner(tmp_path, 1, **with_validation())
    runner.train()
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == "CheckpointHook")
    runner.val_loop.run()
    assert Path(hook.best_ckpt_path).name == "best_acc_epoch_1.pth"
    assert torch.load(hook.best_ckpt_path)["state_dict"]
