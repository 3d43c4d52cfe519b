"""tools/train.py: what it writes, and bad input."""

from __future__ import annotations

import shutil

import pytest
import torch
from mmengine.config import Config

from tpsparse.engine import config_taxonomy, load_config
from tpsparse.parsing.network import load_network, read_checkpoint
from tpsparse.taxonomy import Taxonomy


@pytest.fixture
def config(narrow_parts, tiny_root, tmp_path):
    return narrow_parts(tmp_path / "narrow.py", tiny_root, **{"train_cfg.max_epochs": 1})


@pytest.fixture
def clip_config(drawn, tiny_root, tmp_path):
    """TimeSformer of one layer, without draws of its own: 12 clips in batches of 6, one epoch at one rate."""
    [source] = (drawn.QUICK / "action_recognition").glob("dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py")
    cfg = Config.fromfile(source)
    cfg.merge_from_dict(
        {
            "data_root": str(tiny_root),
            "model.backbone.num_transformer_layers": 1,
            "model.backbone.embed_dims": 16,
            "model.cls_head.in_channels": 16,
            "train_cfg.max_epochs": 1,
            "train_dataloader.batch_size": 6,
            "auto_scale_lr": dict(base_batch_size=6),
        }
    )
    cfg.param_scheduler = []
    cfg.dump(tmp_path / "clips.py")
    return tmp_path / "clips.py"


def weights(folder, key="state_dict"):
    [path] = folder.glob("epoch_*.pth") if not (folder / "epoch_3.pth").exists() else [folder / "epoch_3.pth"]
    return read_checkpoint(str(path))[key]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class TestScale:
    """docs/training_at_scale.md: options that only set a value of the config."""

    def test_accumulated_batches_are_one(self, run_tool, clip_config, tmp_path, capsys):
        assert run_tool("train", clip_config, "--work-dir", tmp_path / "whole") == 0
        halves = ("--accumulate", 2, "--auto-scale-lr", "--cfg-options", "train_dataloader.batch_size=3")
        capsys.readouterr()
        assert run_tool("train", clip_config, "--work-dir", tmp_path / "halves", *halves) == 0
        told = "learning rate 0.001, which is for 6 samples a step, becomes 0.001 for 6 (3 in a batch x 1 processes x 2"
        assert told in capsys.readouterr().out
        expected, found = weights(tmp_path / "whole"), weights(tmp_path / "halves")
        for name in expected:
            torch.testing.assert_close(found[name], expected[name], atol=2e-5, rtol=0)
        dumped = Config.fromfile(tmp_path / "halves" / clip_config.name)
        assert dumped.optim_wrapper.accumulative_counts == 2 and dumped.auto_scale_lr.enable

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    @pytest.mark.parametrize("network", ["config", "clip_config"])
    def test_mixed_precision(self, request, run_tool, tmp_path, network):
        config = request.getfixturevalue(network)
        assert run_tool("train", config, "--amp", "--work-dir", tmp_path / "half") == 0
        assert run_tool("train", config, "--work-dir", tmp_path / "full") == 0
        half, full = weights(tmp_path / "half"), weights(tmp_path / "full")
        assert all(value.dtype == full[name].dtype for name, value in half.items())
        assert all(value.isfinite().all() for value in half.values()) and not same(half, full)
        dumped = Config.fromfile(tmp_path / "half" / config.name)
        assert (dumped.train_precision, dumped.optim_wrapper.dtype) == ("bf16", "bfloat16")

    def test_averaged_weights(self, run_tool, narrow_parts, tiny_root, tmp_path):
        config = narrow_parts(tmp_path / "narrow.py", tiny_root)
        assert run_tool("train", config, "--work-dir", tmp_path / "plain") == 0
        averaged = ("train", config, "--ema", 0.3, "--work-dir", tmp_path / "ema")
        assert run_tool(*averaged) == 0
        trained = {
            name.removeprefix("module."): value
            for name, value in weights(tmp_path / "ema", "ema_state_dict").items()
            if name != "steps"
        }
        # Averaging does not change what is averaged, and the file holds both.
        assert same(trained, weights(tmp_path / "plain")) and not same(trained, weights(tmp_path / "ema"))
        # What is tested, without the option, are the averaged weights.
        assert run_tool("test", config, "--work-dir", tmp_path / "ema") == 0
        cfg = load_config(config, work_dir=tmp_path / "ema")
        network = load_network(str(config), str(tmp_path / "ema"), config_taxonomy(cfg))
        assert same(dict(network.model.state_dict()), weights(tmp_path / "ema"))

        # Going on from the second epoch gives both of the third to the last bit.
        shutil.copytree(tmp_path / "ema", tmp_path / "whole")
        (tmp_path / "ema" / "epoch_3.pth").unlink()
        (tmp_path / "ema" / "last_checkpoint").write_text("epoch_2.pth")
        assert run_tool(*averaged, "--resume") == 0
        for key in ("state_dict", "ema_state_dict"):
            assert same(weights(tmp_path / "ema", key), weights(tmp_path / "whole", key))


def test_checkpoint_knows_its_vocabulary(config, run_tool, tmp_path, tiny_taxonomy, find_leftovers):
    assert run_tool("train", config, "--work-dir", tmp_path / "run") == 0
    content = torch.load(tmp_path / "run" / "epoch_1.pth", weights_only=True)
    assert Taxonomy.from_meta(content["meta"]["dataset_meta"]["taxonomy"]) == tiny_taxonomy
    assert find_leftovers(tmp_path) == []


def test_bad_items_are_skipped_listed_and_counted(config, run_tool, tmp_path, tiny_copy, spoil, capsys, find_leftovers):
    told = spoil(tiny_copy)
    assert run_tool("train", config, "--work-dir", tmp_path / "run", "--cfg-options", f"data_root={tiny_copy}") == 3
    lines = capsys.readouterr().out.splitlines()
    for file, message in told.items():
        found = [line for line in lines if file in line and message in line]
        assert len(found) == 1, (file, found)
    assert sum("'moonwalk' is not in" in line and "add it to list/part_stat.txt" in line for line in lines) == 1
    counts = "training set: skipped 2 videos, 2 frames, 1 person, 1 part, listed above"
    assert sum(counts in line for line in lines) == 1
    assert (tmp_path / "run" / "epoch_1.pth").is_file() and find_leftovers(tmp_path) == []


def test_video_that_breaks_after_it_was_indexed(config, run_tool, tmp_path, tiny_copy, capsys, monkeypatch):
    from tpsparse.datasets.video import Video

    frames = Video.frames

    def breaking(self, numbers):
        if self.name == "lunge_train_1" and 4 in numbers:
            raise self._too_short(4, 3)
        return frames(self, numbers)

    monkeypatch.setattr(Video, "frames", breaking)
    arguments = ("--cfg-options", f"data_root={tiny_copy}", "train_dataloader.num_workers=2")
    assert run_tool("train", config, "--work-dir", tmp_path / "run", *arguments) == 3
    output = capsys.readouterr().out
    assert "training set: skipped 1 sample, listed above" in output and "ends after frame 3" in output


class TestRefused:
    """One line on the standard error, exit status 2, no checkpoint."""

    def refused(self, run_tool, capsys, tmp_path, config, *arguments) -> str:
        capsys.readouterr()
        assert run_tool("train", config, "--work-dir", tmp_path / "run", *arguments) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
        assert len(lines) == 1 and not list((tmp_path / "run").glob("*.pth"))
        return lines[0]

    def test_missing_config(self, run_tool, capsys, tmp_path):
        assert "absent.py is missing" in self.refused(run_tool, capsys, tmp_path, tmp_path / "absent.py")

    def test_missing_data(self, run_tool, capsys, tmp_path, config):
        told = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", "data_root=absent")
        assert "absent/list/body_part.txt is missing" in told

    def test_system(self, run_tool, capsys, tmp_path, drawn, tiny_root):
        told = self.refused(run_tool, capsys, tmp_path, drawn.QUICK_SYSTEM, "--cfg-options", f"data_root={tiny_root}")
        assert "dap.py trains no network: train a whole system with tools/reproduce.py" in told

    def test_base(self, run_tool, capsys, tmp_path, drawn, tiny_root):
        base = drawn.CONFIGS / "_base_" / "runtime.py"
        told = self.refused(run_tool, capsys, tmp_path, base, "--cfg-options", f"data_root={tiny_root}")
        assert "runtime.py trains no network" in told

    def test_absent_weights_to_start_from(self, run_tool, capsys, tmp_path, config):
        told = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", "load_from=absent.pth")
        assert "absent.pth was not found: check the path" in told

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_float16_without_a_gpu(self, run_tool, capsys, tmp_path, config):
        told = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", "optim_wrapper.type=AmpOptimWrapper")
        assert told.endswith("needs a GPU, and there is none: use --bf16, which trains in bfloat16 on a CPU too")

    def test_scaling_from_an_unknown_batch(self, run_tool, capsys, tmp_path, config):
        told = self.refused(run_tool, capsys, tmp_path, config, "--auto-scale-lr")
        assert "does not say for which batch its learning rate is: give --cfg-options auto_scale_lr.base_batch" in told

    def test_sync_bn_without_batch_norm(self, run_tool, capsys, tmp_path, clip_config):
        told = self.refused(run_tool, capsys, tmp_path, clip_config, "--sync-bn")
        assert told.endswith("trains no batch norm, so SyncBN changes nothing: leave --sync-bn out")

    def test_option_that_does_not_fit(self, run_tool, capsys, tmp_path, config):
        told = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", "title.x=3")
        assert "cannot take the options title.x" in told

    @pytest.mark.parametrize(
        ("option", "told"),
        [
            ("model.typo=3", "typo"),
            ("model.type=Typo", "Typo is not in the"),
            ("train_dataloader.batch_size=0", "batch_size"),
            ("optim_wrapper.optimizer.lr=-1", "learning rate"),
        ],
    )
    def test_option_that_cannot_be_built(self, run_tool, capsys, tmp_path, config, option, told):
        line = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", option)
        assert f"config {config} cannot be built (" in line and told in line
        assert line.endswith("): correct it or the --cfg-options")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--accumulate", 0], "argument --accumulate: 0 is not a whole number above 0"),
            (["--ema", 1], "argument --ema: 1 is not a number between 0 and 1"),
            (["--ema", "no"], "argument --ema: no is not a number between 0 and 1"),
            (["--seed", -1], "argument --seed: -1 is not a whole number of 0 or more"),
            (["--cfg-options", "foo"], "argument --cfg-options: foo is not K=V"),
            (["--work-dir", "/dev/null"], "argument --work-dir: /dev/null is not a folder"),
        ],
    )
    def test_arguments(self, run_tool, capsys, tmp_path, config, arguments, told):
        with pytest.raises(SystemExit) as ended:
            self.refused(run_tool, capsys, tmp_path, config, *arguments)
        assert ended.value.code == 2 and told in capsys.readouterr().err.splitlines()[-1]

    @pytest.mark.parametrize("jobs", [0, -1])
    def test_jobs_of_a_system(self, run_tool, capsys, drawn, jobs):
        with pytest.raises(SystemExit) as ended:
            run_tool("reproduce", drawn.QUICK_SYSTEM, "--jobs", jobs)
        assert ended.value.code == 2 and f"--jobs: {jobs} is not a whole number above 0" in capsys.readouterr().err

    def test_no_usable_video(self, run_tool, capsys, tmp_path, config, tiny_copy):
        for path in (tiny_copy / "train_videos").glob("*/*.mp4"):
            path.write_bytes(b"")
        told = self.refused(run_tool, capsys, tmp_path, config, "--cfg-options", f"data_root={tiny_copy}")
        assert "has no usable video of split train: expected <action>/<video>.mp4 in" in told


class TestResumeFrom:
    """A work folder that holds something else is not gone on from."""

    def refused(self, run_tool, capsys, config, folder) -> str:
        before = sorted(path.name for path in folder.iterdir())
        capsys.readouterr()
        assert run_tool("train", config, "--resume", "--work-dir", folder) == 2
        [line] = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
        assert [name for name in before if not (folder / name).exists()] == []
        return line

    def folder(self, tmp_path, content):
        folder = tmp_path / "run"
        folder.mkdir()
        torch.save(content, folder / "epoch_1.pth")
        (folder / "last_checkpoint").write_text("epoch_1.pth")
        return folder

    def test_another_network(self, run_tool, capsys, config, tmp_path):
        folder = self.folder(tmp_path, {"meta": {}, "state_dict": {"a": torch.zeros(1)}})
        assert "epoch_1.pth is of another network than" in self.refused(run_tool, capsys, config, folder)

    def test_another_vocabulary(self, run_tool, capsys, config, tmp_path):
        names = dict(parts=["head"], states=["none"], actions=["x"], objects=[])
        folder = self.folder(tmp_path, {"meta": {"dataset_meta": {"taxonomy": names}}, "state_dict": {}})
        assert "was trained with other parts (1 names)" in self.refused(run_tool, capsys, config, folder)

    def test_no_checkpoint(self, run_tool, capsys, config, tmp_path):
        folder = self.folder(tmp_path, {})
        (folder / "epoch_1.pth").write_bytes(b"words")
        assert "epoch_1.pth" in self.refused(run_tool, capsys, config, folder)

    def test_nothing_yet(self, run_tool, config, tmp_path):
        assert run_tool("train", config, "--resume", "--work-dir", tmp_path / "run") == 0
        assert (tmp_path / "run" / "epoch_1.pth").is_file()
