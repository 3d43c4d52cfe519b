"""Checkpoints that fit, and those that do not."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import nullcontext

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import nn

from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing.network import (
    _without_pretraining,
    compared_kinds,
    file_digest,
    find_checkpoint,
    fingerprint,
    load_network,
    load_weights,
    read_checkpoint,
)
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head",), states=("none",), actions=("a", "b"))


def save(path, model=None, *, taxonomy=NAMES, **extra):
    model = model or nn.Linear(3, 2)
    meta = {} if taxonomy is None else {"dataset_meta": {"taxonomy": taxonomy.to_meta()}}
    torch.save({"meta": meta, "state_dict": model.state_dict(), **extra}, path)
    return model


class TestLoadWeights:
    def load(self, path, model=None, taxonomy=NAMES):
        model = model or nn.Linear(3, 2)
        load_weights(model, str(path), taxonomy, "net.py")
        return model

    @pytest.mark.parametrize("taxonomy", [NAMES, None], ids=["names", "without names"])
    def test_that_fits(self, tmp_path, taxonomy):
        saved = save(tmp_path / "a.pth", taxonomy=taxonomy)
        loaded = self.load(tmp_path / "a.pth")
        assert loaded.weight.equal(saved.weight) and loaded.bias.equal(saved.bias)

    def test_bare_weights(self, tmp_path):
        saved = nn.Linear(3, 2)
        torch.save(saved.state_dict(), tmp_path / "a.pth")
        assert self.load(tmp_path / "a.pth").weight.equal(saved.weight)

    def test_objects_may_differ(self, tmp_path):
        save(tmp_path / "a.pth", taxonomy=Taxonomy(("head",), ("none",), ("a", "b"), ("ball",)))
        self.load(tmp_path / "a.pth")

    @pytest.mark.parametrize(
        ("saved", "told"),
        [
            (nn.Linear(3, 4), "2 of 2 weights differ, among them bias, weight"),
            (nn.Linear(3, 2, bias=False), "1 of 2 weights differ, among them bias"),
            (nn.Sequential(nn.Linear(3, 2)), "4 of 2 weights differ, among them 0.bias, 0.weight, bias"),
        ],
        ids=["shape", "missing", "names"],
    )
    def test_of_another_network(self, tmp_path, saved, told):
        save(tmp_path / "a.pth", saved)
        with pytest.raises(InputError, match="a.pth is of another network than net.py") as error:
            self.load(tmp_path / "a.pth")
        assert told in str(error.value) and "give the checkpoint" in str(error.value)

    @pytest.mark.parametrize(
        ("names", "kind"),
        [
            (Taxonomy(("head",), ("none",), ("a", "b", "c")), "actions"),
            (Taxonomy(("head",), ("none",), ("b", "a")), "actions"),
            (Taxonomy(("head", "hip"), ("none",), ("a", "b")), "parts"),
            (Taxonomy(("head",), ("bend",), ("a", "b")), "states"),
        ],
        ids=["more", "order", "parts", "states"],
    )
    def test_of_another_vocabulary(self, tmp_path, names, kind):
        save(tmp_path / "a.pth", taxonomy=names)
        with pytest.raises(
            InputError, match=f"a.pth was trained with other {kind} .*: use networks and data of one vocab"
        ):
            self.load(tmp_path / "a.pth")

    @pytest.mark.parametrize(
        ("objects", "fits"), [(("ball", "rope"), True), (("rope", "ball"), False), (("ball",), False), ((), False)]
    )
    def test_objects_of_a_network_that_has_them(self, tmp_path, objects, fits):
        names = Taxonomy(NAMES.parts, NAMES.states, NAMES.actions, ("ball", "rope"))
        save(tmp_path / "a.pth", taxonomy=Taxonomy(NAMES.parts, NAMES.states, NAMES.actions, objects))
        kinds = compared_kinds(Config(dict(uses_objects=True)))
        told = rf"a.pth was trained with other objects \({len(objects)} names\) than those at hand \(2\): use networks"
        with nullcontext() if fits else pytest.raises(InputError, match=told):
            load_weights(nn.Linear(3, 2), str(tmp_path / "a.pth"), names, "net.py", kinds=kinds)

    def test_objects_of_other_networks_are_not_compared(self):
        assert compared_kinds(Config(dict(model=dict(type="X")))) == ("parts", "states", "actions")

    @pytest.mark.parametrize("content", [{"epoch": 3}, {"state_dict": {}}, {"meta": None, "state_dict": {"x": 1}}])
    def test_without_weights(self, tmp_path, content):
        torch.save(content, tmp_path / "a.pth")
        with pytest.raises(InputError, match=r"a\.pth is of another network"):
            self.load(tmp_path / "a.pth")


class TestReadCheckpoint:
    @pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 half an archive"], ids=["empty", "text", "archive"])
    def test_that_is_none(self, tmp_path, content):
        (tmp_path / "a.pth").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.pth") as error:
            read_checkpoint(str(tmp_path / "a.pth"))
        assert "\n" not in str(error.value)

    def test_truncated(self, tmp_path):
        save(tmp_path / "a.pth")
        content = (tmp_path / "a.pth").read_bytes()
        (tmp_path / "a.pth").write_bytes(content[: len(content) // 2])
        with pytest.raises(InputError, match=r"a\.pth"):
            read_checkpoint(str(tmp_path / "a.pth"))

    @pytest.mark.parametrize("content", [[1, 2], {"state_dict": [1]}], ids=["list", "list inside"])
    def test_that_holds_no_weights(self, tmp_path, content):
        torch.save(content, tmp_path / "a.pth")
        with pytest.raises(InputError, match=r"a\.pth holds no weights: give a checkpoint written by tools/train\.py"):
            read_checkpoint(str(tmp_path / "a.pth"))


class TestFindCheckpoint:
    def test_file_and_address(self, tmp_path):
        (tmp_path / "a.pth").touch()
        assert find_checkpoint(str(tmp_path / "a.pth"), "net.py") == str(tmp_path / "a.pth")
        assert find_checkpoint("https://host/a.pth", "net.py") == "https://host/a.pth"

    def test_folder_that_was_moved(self, tmp_path):
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "epoch_2.pth").touch()
        (tmp_path / "new" / "last_checkpoint").write_text("/old/place/epoch_2.pth\n")
        assert find_checkpoint(str(tmp_path / "new"), "net.py") == str(tmp_path / "new" / "epoch_2.pth")

    @pytest.mark.parametrize("kind", ["absent", "empty folder", "file gone"])
    def test_missing(self, tmp_path, kind):
        path = tmp_path / "run"
        if kind != "absent":
            path.mkdir()
        if kind == "file gone":
            (path / "last_checkpoint").write_text("epoch_2.pth")
        with pytest.raises(
            InputError, match=f"checkpoint {path}.* is missing: train it with python tools/train.py net"
        ):
            find_checkpoint(str(path), "net.py")

    @pytest.mark.parametrize("given", ["work/net", "work/net/epoch_1.pth"])
    @pytest.mark.parametrize("folder", ["configs/systems/..", "/else/where/../here"])
    def test_remedy_can_be_typed(self, tmp_path, monkeypatch, given, folder):
        monkeypatch.chdir(tmp_path)
        shown = "/else/here/net.py" if folder.startswith("/") else "configs/net.py"
        command = f"python tools/train.py {shown} --work-dir work/net"
        for config in (f"{folder}/net.py", str(tmp_path / folder / "net.py")):
            with pytest.raises(InputError) as error:
                find_checkpoint(given, config)
            assert str(error.value) == f"checkpoint {given} is missing: train it with {command}"

    def test_remedy_with_spaces(self):
        with pytest.raises(InputError, match="train.py 'my net.py' --work-dir 'my run'$"):
            find_checkpoint("my run", "my net.py")


class TestLoadNetwork:
    def test_pipeline_is_needed(self, tmp_path):
        (tmp_path / "net.py").write_text("model = dict(type='X')")
        with pytest.raises(InputError, match=r"net\.py has no test_pipeline"):
            load_network(str(tmp_path / "net.py"), "a.pth", NAMES)

    @pytest.mark.parametrize("objects", [("none",), ("none", "ball"), ("ball",)])
    def test_objects_of_a_detector(self, tmp_path, tiny_taxonomy, drawn, objects):
        """The list of the drawn data set is ("none",); a detector of other objects is refused by their names."""
        config = drawn.QUICK / "part_detection" / "scu_faster-rcnn_vgg11_1xb8_synthetic.py"
        names = dataclasses.replace(tiny_taxonomy, objects=objects)
        init_default_scope("tpsparse")
        save(tmp_path / "a.pth", MODELS.build(load_config(config, taxonomy=names).model), taxonomy=names)
        told = "a.pth was trained with other objects"
        with nullcontext() if objects == ("none",) else pytest.raises(InputError, match=told):
            load_network(str(config), str(tmp_path / "a.pth"), tiny_taxonomy)

    def test_options_change_the_config(self, quick_work_dir, tiny_taxonomy, drawn):
        config = drawn.quick_config("feature_fusion")
        folder = str(quick_work_dir / config.stem)
        network = load_network(str(config), folder, tiny_taxonomy, {"model.dropout": 0.9})
        assert network.config.model.dropout == 0.9 and not network.model.training
        with pytest.raises(InputError, match="is of another network"):
            load_network(str(config), folder, tiny_taxonomy, {"model.mlp_channels": (8, 8)})


def test_nothing_is_downloaded_to_be_overwritten():
    model = ConfigDict(
        type="A",
        pretrained="https://host/a.pth",
        init_cfg=dict(type="Pretrained", checkpoint="x"),
        parts=[dict(type="B", init_cfg=[1], size=3), 7],
    )
    assert _without_pretraining(model) == dict(type="A", pretrained=None, parts=[dict(type="B", size=3), 7])
    assert model.pretrained == "https://host/a.pth"


def test_fingerprint():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_digest_goes_by_content(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    shutil.copy(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").write_bytes(b"two")
    one, same, other = (file_digest(str(tmp_path / name)) for name in "abc")
    assert one == same != other and file_digest("https://host/a") == "https://host/a"
