from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope

from tpsparse import apis
from tpsparse.engine import build_runner, load_config
from tpsparse.errors import InputError
from tpsparse.registry import MODELS
from tpsparse.structures import FrameParse, VideoParse


class TestFeatures:
    """Records are checked against the network of features when a run is built."""

    def config(self, drawn, root, parses, name="scu_lstm_1xb16_synthetic_no-language"):
        options = {"data_root": str(root), "parses_dir": str(parses), "train_cfg.max_epochs": 1}
        return load_config(drawn.QUICK / "feature_fusion" / f"{name}.py", options=options, work_dir=parses / "work")

    def save(self, root, parses, **changes):
        """Of every drawn video one frame with nobody and one with a person, whose features are changed."""
        own = dict(part_visual=np.ones((1, 3 * 64)), part_relevance=np.ones((1, 3)))
        own = {name: array for name, array in {**own, **changes}.items() if array is not None}
        for split in ("train", "test"):
            for video in (root / f"{split}_videos").glob("*/*.mp4"):
                frames = [
                    FrameParse(1, np.zeros((0, 4)), person_features={name: array[:0] for name, array in own.items()}),
                    FrameParse(2, np.ones((1, 4)), person_features=own),
                ]
                for folder in (split, f"scu/{split}"):
                    record = VideoParse(video.stem, size=(64, 96), num_frames=12, fps=10, frames=frames)
                    record.save(parses / folder / f"{video.stem}.safetensors")

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            (
                dict(part_visual=np.ones((1, 30))),
                "part_visual: 30 channels of each person in .*, the network takes 192",
            ),
            (
                dict(part_relevance=None),
                "part_relevance: no such feature in .*, the network takes 3 channels of each p",
            ),
        ],
    )
    def test_others(self, drawn, tiny_root, tmp_path, changes, told):
        self.save(tiny_root, tmp_path)
        cfg = self.config(drawn, tiny_root, tmp_path)
        apis.train(cfg)
        self.save(tiny_root, tmp_path, **changes)
        told = rf"{told}.*: fill it again with tools/reproduce\.py$"
        with pytest.raises(InputError, match=rf"^{tmp_path}/scu/train has records of other features .*{told}"):
            apis.train(self.config(drawn, tiny_root, tmp_path))
        with pytest.raises(InputError, match=rf"^{tmp_path}/test has records of other features .*{told}"):
            apis.test(self.config(drawn, tiny_root, tmp_path))

    def test_of_frames_and_of_the_video(self, drawn, tiny_root, tmp_path):
        self.save(tiny_root, tmp_path)
        cfg = self.config(drawn, tiny_root, tmp_path, "dap_mlp_1xb16_synthetic")
        cfg.model.frame_features, cfg.model.video_features = {}, {}
        cfg.model.person_features = dict(part_visual=192)
        apis.train(cfg)
        cfg.model.person_features, cfg.model.frame_features = {}, dict(part_visual=192)
        told = "part_visual: 192 channels of each person in .*, the network takes 192 channels of each frame"
        with pytest.raises(InputError, match=told):
            apis.train(cfg)

    def test_nobody_anywhere(self, drawn, tiny_root, tmp_path):
        """Nothing can be told then, and the run is let begin."""
        self.save(tiny_root, tmp_path, part_visual=np.ones((1, 192)))
        for path in tmp_path.glob("scu/train/*"):
            record = VideoParse.load(path)
            record.frames = record.frames[:1]
            record.save(path)
        apis.train(self.config(drawn, tiny_root, tmp_path))


class TestStartFrom:
    """A training that starts from the backbone of another network, in the folder beside its own."""

    @pytest.fixture
    def config(self, narrow_parts, tiny_root, tmp_path):
        path = narrow_parts(tmp_path / "net.py", tiny_root, **{"train_cfg.max_epochs": 1})
        path.write_text(path.read_text() + "\nstart_from = 'configs/source (ü).py'\n")
        return path

    def load(self, config, tmp_path, **options):
        return load_config(config, options=options, work_dir=str(tmp_path / "work" / "net"))

    def leave(self, cfg, folder, change=None):
        """A checkpoint of the source; ``change`` gets its weights."""
        init_default_scope("tpsparse")
        torch.manual_seed(7)
        weights = MODELS.build(cfg.model).state_dict()
        weights = {name: torch.full_like(value, 0.5) for name, value in weights.items()}
        if change:
            change(weights)
        folder.mkdir(parents=True)
        torch.save({"meta": {}, "state_dict": weights}, folder / "epoch_3.pth")
        (folder / "last_checkpoint").write_text("/elsewhere/epoch_3.pth")

    @pytest.fixture
    def started(self, monkeypatch):
        """The weights as the first iteration of a training finds them."""
        found = {}

        class Look(Hook):
            def before_train_iter(self, runner, batch_idx, data_batch=None):
                if not found:
                    found.update({name: value.clone() for name, value in runner.model.state_dict().items()})

        def build(cfg, launcher):
            runner = build_runner(cfg, launcher)
            runner.register_hook(Look())
            return runner

        monkeypatch.setattr(apis.training, "build_runner", build)
        return found

    def test_backbone_alone(self, config, tmp_path, started):
        cfg = self.load(config, tmp_path, log_level="INFO")
        self.leave(cfg, tmp_path / "work" / "source (ü)")
        apis.train(cfg, resume=True)
        halves = {name: bool((value == 0.5).all()) for name, value in started.items() if value.is_floating_point()}
        assert all(half for name, half in halves.items() if name.startswith("backbone."))
        assert not any(half for name, half in halves.items() if not name.startswith("backbone."))
        log = next((tmp_path / "work" / "net").glob("*/*.log")).read_text()
        backbone = sum(name.startswith("backbone.") for name in started)
        assert f"starting from the {backbone} backbone weights of " in log

    def test_not_when_it_goes_on(self, config, tmp_path, started):
        cfg = self.load(config, tmp_path)
        self.leave(cfg, tmp_path / "work" / "source (ü)")
        apis.train(cfg)
        (tmp_path / "work" / "source (ü)" / "epoch_3.pth").unlink()
        started.clear()
        apis.train(self.load(config, tmp_path, **{"train_cfg.max_epochs": 2}), resume=True)
        left = torch.load(tmp_path / "work" / "net" / "epoch_1.pth", weights_only=False)["state_dict"]
        assert all(torch.equal(started[name], left[name]) for name in left)

    def test_given_checkpoint(self, config, tmp_path, started):
        cfg = self.load(config, tmp_path, start_from_checkpoint=str(tmp_path / "given" / "epoch_3.pth"))
        self.leave(cfg, tmp_path / "given")
        apis.train(cfg, resume=True)
        assert bool((started["backbone.conv1.weight"] == 0.5).all())

    def test_missing(self, config, tmp_path):
        told = (
            r"checkpoint .*work/source \(ü\) is missing: train it with python tools/train.py 'configs/source \(ü\)\.py'"
        )
        with pytest.raises(InputError, match=told):
            apis.train(self.load(config, tmp_path))

    @pytest.mark.parametrize(
        "change",
        [
            lambda weights: weights.pop("backbone.conv1.weight"),
            lambda weights: weights.update({"backbone.more": torch.zeros(1)}),
            lambda weights: weights.update({"backbone.conv1.weight": torch.zeros(4, 1, 3, 3)}),
            lambda weights: [weights.pop(name) for name in list(weights) if name.startswith("backbone.")],
        ],
        ids=["lacking", "more", "shape", "none"],
    )
    def test_of_another_backbone(self, config, tmp_path, change):
        cfg = self.load(config, tmp_path)
        self.leave(cfg, tmp_path / "work" / "source (ü)", change)
        told = r"epoch_3\.pth has no backbone for .*net\.py to start from .*: name another config in start_from"
        with pytest.raises(InputError, match=told):
            apis.train(cfg)
        assert not (tmp_path / "work" / "net" / "epoch_1.pth").exists()
