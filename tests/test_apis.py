from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope

from tpsparse import apis
from tpsparse.datasets.video import Video
from tpsparse.engine import build_runner, load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser
from tpsparse.registry import MODELS
from tpsparse.structures import FrameParse, VideoParse


@pytest.fixture(scope="module")
def system(drawn, quick_work_dir):
    return apis.build_parser(drawn.QUICK_SYSTEM, work_dir=quick_work_dir, frame_step=6)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (dict(type="ActionParser"), True),
        (dict(type="tpsparse.ActionParser"), True),
        (dict(type="X"), False),
        (None, False),
    ],
)
def test_is_system(model, expected):
    assert apis.is_system(Config({} if model is None else dict(model=model))) is expected


class TestBuildParser:
    def test_names_come_with_the_weights(self, system, tiny_taxonomy):
        parser, taxonomy = system
        assert isinstance(parser, ActionParser) and taxonomy == tiny_taxonomy and parser.save_dir is None

    def test_network_is_refused(self, drawn, quick_work_dir):
        with pytest.raises(InputError, match="is of one network: give a system config"):
            apis.build_parser(drawn.quick_config("part_parsing"), work_dir=quick_work_dir)


class TestParseVideo:
    def test_record(self, system, tiny_root):
        parse = apis.parse_video(system[0], tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")
        assert parse.error is None and {1, 7} <= set(parse.frame_indices)
        assert set(parse.action_scores) == {"frame", "instance", "timesformer", "swin", "fusion", "action"}
        mean = np.mean([scores for name, scores in parse.action_scores.items() if name != "action"], axis=0)
        np.testing.assert_allclose(parse.action_scores["action"], mean, rtol=1e-4)

    @pytest.mark.parametrize("content", [None, b"", b"words"])
    def test_that_cannot_be_read(self, system, tmp_path, content):
        if content is not None:
            (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.mp4"):
            apis.parse_video(system[0], tmp_path / "a.mp4")
        with pytest.raises(InputError, match=r"a\.mp4"):
            apis.parse_to_folder(*system, tmp_path / "a.mp4", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_to_folder(self, system, tiny_root, tmp_path):
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        parse = apis.parse_to_folder(*system, path, tmp_path / "out")
        written = json.loads((tmp_path / "out" / "parse.json").read_text())
        assert [frame["frame"] for frame in written["frames"]] == parse.frame_indices
        assert (tmp_path / "out" / "overlay.mp4").stat().st_size > 0

    @pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
    def test_to_folder_without_a_frame_rate(self, system, tiny_root, tmp_path, monkeypatch, fps):
        monkeypatch.setattr(apis, "Video", lambda path: with_fps(Video(path), fps))
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        apis.parse_to_folder(*system, path, tmp_path / "out")
        assert json.loads((tmp_path / "out" / "parse.json").read_text())["fps"] == 0
        assert Video(tmp_path / "out" / "overlay.mp4").fps == 25

    @pytest.mark.parametrize("kept", [True, False])
    def test_to_folder_that_cannot_be_drawn(self, system, tiny_root, tmp_path, monkeypatch, kept):
        if kept:
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "mine.txt").touch()
        frames = [np.zeros((*size, 3), np.uint8) for size in ((64, 96), (64, 96), (32, 48))]
        monkeypatch.setattr(apis, "frames_of", lambda video: iter(frames))
        path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
        with pytest.raises(InputError, match=r"lunge_test_0\.mp4 cannot be drawn \(.*\): encode it again or leave"):
            apis.parse_to_folder(*system, path, tmp_path / "out")
        assert [path.name for path in tmp_path.glob("out/*")] == (["mine.txt"] if kept else [])
        assert (tmp_path / "out").exists() is kept


def with_fps(video, fps):
    video.fps = fps
    return video


@pytest.mark.parametrize("error", [TypeError("a\nb"), KeyError("a\nb"), ValueError("a\nb")])
def test_config_that_cannot_be_built(error):
    told = r"^config net\.py cannot be built \(a\): correct it or the --cfg-options$"
    with pytest.raises(InputError, match=told) as caught, apis._building("net.py"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [InputError("x is empty: replace it"), RuntimeError("a bug")])
def test_other_errors_in_building_are_left(error):
    with pytest.raises(type(error)) as caught, apis._building("net.py"):
        raise error
    assert caught.value is error


def test_write_to(drawn, tiny_root, tmp_path):
    cfg = load_config(drawn.QUICK_SYSTEM, options={"data_root": str(tiny_root)}, work_dir="work")
    apis.write_to(cfg, tmp_path)
    assert cfg.test_evaluator.out_dir == str(tmp_path) and cfg.model.save_dir == str(tmp_path / "parses" / "test")


class TestObjectsOfASystem:
    """Its first network was trained when the list of objects was another, which does not matter to it."""

    def leave(self, folder, name, taxonomy):
        (folder / name).mkdir(parents=True)
        meta = {} if taxonomy is None else {"dataset_meta": {"taxonomy": taxonomy}}
        torch.save({"meta": meta, "state_dict": {}}, folder / name / "epoch_1.pth")
        (folder / name / "last_checkpoint").write_text("epoch_1.pth")

    @pytest.mark.parametrize(
        ("objects", "expected"),
        [
            ((["old"], ["rope", "bar"], ["later"]), ("rope", "bar")),
            ((None, ["rope"], ["later"]), ("rope",)),
            (([], None, ["later"]), ("later",)),
            ((["old"], [], ["later"]), ()),
            ((["old"], None, None), ("old",)),
        ],
    )
    def test_of_the_first_that_uses_them(self, drawn, tmp_path, tiny_taxonomy, objects, expected):
        config = drawn.QUICK / "systems" / "scu.py"
        stages = [stage for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages if "config" in stage]
        assert [stage.type for stage in stages][:3] == ["DetectPersons", "DetectPartsAndObjects", "ParsePartStates"]
        for stage, names in zip(stages, (*objects, None), strict=True):
            known = None if names is None else tiny_taxonomy.to_meta() | dict(objects=names)
            self.leave(tmp_path, Path(stage.config).stem, known)
        found = apis._trained_taxonomy(config, tmp_path, None)
        assert found.objects == expected and found.states == tiny_taxonomy.states

    def test_no_more_weights_are_read_than_are_asked(self, drawn, tmp_path, tiny_taxonomy, monkeypatch):
        """A system without objects, as DAP, is asked for its names once, however many networks it has."""
        config = drawn.QUICK_SYSTEM
        for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages:
            if "config" in stage:
                self.leave(tmp_path, Path(stage.config).stem, tiny_taxonomy.to_meta())
        read, asked = apis.read_checkpoint, []
        monkeypatch.setattr(apis, "read_checkpoint", lambda path: asked.append(path) or read(path))
        assert apis._trained_taxonomy(config, tmp_path, None) == tiny_taxonomy
        assert len(asked) == 1

    def test_no_names_at_all(self, drawn, tmp_path, tiny_taxonomy):
        config = drawn.QUICK / "systems" / "scu.py"
        for stage in load_config(config, taxonomy=tiny_taxonomy).model.stages:
            if "config" in stage:
                self.leave(tmp_path, Path(stage.config).stem, None)
        with pytest.raises(InputError, match="names no checkpoint that knows its labels"):
            apis._trained_taxonomy(config, tmp_path, None)


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

        monkeypatch.setattr(apis, "build_runner", build)
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
