"""Weights of backbones: which of a file's are meant, and when they are of another network."""

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.backbones.weights import fitting_weights, named_weights, read_weights


def table(**shapes):
    return {name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}


OWN = table(conv__weight=(2, 3, 1, 1), bn__weight=(2,), bn__num_batches_tracked=())


class TestNamed:
    @pytest.mark.parametrize("prefix", ["", "backbone.", "base_model.", "module.", "module.base_model."])
    def test_prefix_goes(self, prefix):
        given = {prefix + name: value for name, value in OWN.items()}
        assert set(named_weights({**given, "elsewhere": 1}, OWN)) == set(OWN)

    def test_only_the_backbone_of_a_network(self):
        given = {f"backbone.{name}": value for name, value in OWN.items()} | table(cls_head__fc__weight=(3, 2))
        assert set(named_weights(dict(state_dict=given), OWN)) == set(OWN)

    def test_vectors_of_caffe(self):
        given = table(conv__weight=(2, 3, 1, 1), bn__weight=(1, 2), fc__weight=(1, 2))
        shapes = {name: tuple(value.shape) for name, value in named_weights(given, OWN).items()}
        assert shapes == {"conv.weight": (2, 3, 1, 1), "bn.weight": (2,), "fc.weight": (1, 2)}

    @pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"epoch": 3}])
    def test_nothing(self, content):
        assert named_weights(content, OWN) == {}


class TestFitting:
    def test_counters_may_be_missing_and_a_classifier_is_left_out(self):
        found = table(conv__weight=(2, 3, 1, 1), bn__weight=(2,), last_linear__weight=(5, 2), last_linear__bias=(5,))
        assert set(fitting_weights(found, OWN, "file.pth")) == {"conv.weight", "bn.weight"}

    @pytest.mark.parametrize(
        ("found", "told"),
        [
            (table(conv__weight=(2, 3, 1, 1)), "1 of 3 weights .* 0 are of other layers, among them bn.weight"),
            (table(conv__weight=(2, 4, 1, 1), bn__weight=(2,)), "1 of 3 weights .* among them conv.weight"),
            (table(conv__weight=(2, 3, 1, 1), bn__weight=(2, 2)), "1 of 3 weights .* among them bn.weight"),
            # A deeper network of the same kind has all of a shallower one's layers.
            (OWN | table(deeper__weight=(2, 2, 3, 3)), "0 of 3 weights .* 1 are of other layers, among them deeper"),
            ({}, "2 of 3 weights"),
        ],
        ids=["missing", "shape", "axes", "deeper", "none"],
    )
    def test_another_network(self, found, told):
        with pytest.raises(InputError, match=rf"^file\.pth is of another network \({told}.*give weights of this"):
            fitting_weights(found, OWN, "file.pth")


class TestRead:
    @pytest.mark.parametrize("content", [b"", b"words"])
    def test_no_checkpoint(self, content, tmp_path):
        (tmp_path / "a.pth").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.pth"):
            read_weights(str(tmp_path / "a.pth"))

    def test_no_table(self, tmp_path):
        torch.save([1, 2], tmp_path / "a.pth")
        with pytest.raises(InputError, match=r"a\.pth holds no weights"):
            read_weights(str(tmp_path / "a.pth"))

    def test_url_out_of_reach(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        url = "https://127.0.0.1:9/weights.pth"
        with pytest.raises(InputError, match=r"^https://127\.0\.0\.1:9/weights\.pth cannot be fetched .* fetch"):
            read_weights(url)
