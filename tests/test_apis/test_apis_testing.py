from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_tapos import write_instances

from tpsparse import apis
from tpsparse.datasets.instances import open_instances
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.structures.boundaries_file import Boundaries


def test_write_to(drawn, tiny_root, tmp_path):
    cfg = load_config(drawn.QUICK_SYSTEM, options={"data_root": str(tiny_root)}, work_dir="work")
    apis.write_to(cfg, tmp_path)
    assert cfg.test_evaluator.out_dir == str(tmp_path) and cfg.model.save_dir == str(tmp_path / "parses" / "test")


class TestFindSegments:
    """A recognizer that looks along what a parser of sub-actions finds, here the even floor."""

    @pytest.fixture
    def root(self, tmp_path):
        return write_instances(tmp_path / "data", train=4, val=2)

    @pytest.fixture
    def config(self, tmp_path):
        parser = Path(__file__).resolve().parents[2] / "configs/quick/temporal_parsing/floor_even_synthetic.py"
        path = tmp_path / "along.py"
        path.write_text(
            "default_scope = 'tpsparse'\n"
            f"segments_from = '{parser}'\ntrain_split = 'train'\ntest_split = 'val'\n"
            "files = dict(train='@segments/train.json', test='@segments/test.json')\n"
        )
        return path

    def load(self, config, root, **options):
        options["data_root"] = str(root)
        return load_config(config, options=options, work_dir=config.parent / "runs" / "along")

    def train(self, cfg, root):
        """The parser, in the folder beside."""
        options = dict(data_root=str(root))
        apis.train(load_config(cfg.segments_from, options=options, work_dir=Path(cfg.segments).parent))

    @pytest.fixture
    def cfg(self, config, root):
        (root / "features" / "tiny").rename(root / "features" / "bn-inception-x4_tsn")
        cfg = self.load(config, root)
        self.train(cfg, root)
        return cfg

    def test_word_is_the_folder_beside(self, config, root):
        beside = config.parent / "runs" / "floor_even_synthetic" / "boundaries"
        assert self.load(config, root).files == dict(train=f"{beside}/train.json", test=f"{beside}/test.json")

    def test_both_splits_are_parsed_once(self, cfg, root, monkeypatch):
        for kind, split in dict(train="train", test="val").items():
            apis.find_segments(cfg, kind)
            found = Boundaries.load(cfg.files[kind])
            known = {instance.key: instance.num_frames for instance in open_instances(root, split).instances}
            assert {key: num_frames for key, (num_frames, _) in found.instances.items()} == known
        monkeypatch.setattr(apis.testing, "test", lambda *args, **kwargs: pytest.fail("parsed again"))
        apis.find_segments(cfg, "train")
        apis.find_segments(cfg, "test")

    def test_other_weights_parse_again(self, cfg):
        apis.find_segments(cfg, "test")
        checkpoint = Path(cfg.segments).parent / "epoch_1.pth"
        content = torch.load(checkpoint, weights_only=False)
        [name] = [name for name, value in content["state_dict"].items() if value.numel() == 1]
        content["state_dict"][name] = torch.zeros_like(content["state_dict"][name])
        torch.save(content, checkpoint)
        before = Boundaries.load(cfg.files.test).instances
        apis.find_segments(cfg, "test")
        after = Boundaries.load(cfg.files.test).instances
        assert any(len(found) for _, found in before.values()) and not any(len(found) for _, found in after.values())

    @pytest.mark.parametrize("change", ["encoder", "feature file", "annotation", "no file", "broken file"])
    def test_whatever_it_follows_from_parses_again(self, cfg, root, monkeypatch, change):
        features = root / "features" / "bn-inception-x4_tsn"
        (features / "made_by.json").write_text("{}")
        apis.find_segments(cfg, "test")
        [first, *_] = open_instances(root, "val").instances
        feature, annotation = features / f"{first.key}.safetensors", root / "tapos_annotation.json"
        if change == "encoder":
            (features / "made_by.json").write_text('{"stamp": "other"}')
        elif change == "feature file":
            feature.write_bytes(feature.read_bytes())
        elif change == "annotation":
            content = json.loads(annotation.read_text())
            content[first.youtube_id][first.name]["substages"][1] += 1
            annotation.write_text(json.dumps(content))
        elif change == "no file":
            Path(cfg.files.test).unlink()
        else:
            Path(cfg.files.test).write_text(Path(cfg.files.test).read_text()[:40])
        asked = []
        monkeypatch.setattr(apis.testing, "test", lambda *args, **kwargs: asked.append(args))
        apis.find_segments(cfg, "test")
        assert len(asked) == 1

    def test_parser_that_is_not_trained_is_told(self, config, root):
        with pytest.raises(InputError, match="floor_even_synthetic"):
            apis.find_segments(self.load(config, root), "train")

    def test_folder_that_the_user_gives_is_left_alone(self, config, root, tmp_path):
        cfg = self.load(config, root, segments=str(tmp_path / "mine (ü)"))
        apis.find_segments(cfg, "test")
        assert cfg.files.train == f"{tmp_path / 'mine (ü)'}/train.json" and not (tmp_path / "runs").exists()
