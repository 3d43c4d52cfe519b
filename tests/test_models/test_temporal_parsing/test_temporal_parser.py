"""What the base of parsers does for every method: the check of the channels, and finding the methods."""

from __future__ import annotations

import sys

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models import temporal_parsing
from tpsparse.models.temporal_parsing import (
    CTM,
    ISBA,
    BoundaryTCN,
    EvenBoundaries,
    KMeansParser,
    NoBoundary,
    TransParser,
)
from tpsparse.registry import MODELS
from tpsparse.structures.temporal import TemporalSample

LOOKING = {
    "ctm": lambda: CTM(channels=4, hidden_channels=4, num_labels=5),
    "isba": lambda: ISBA(channels=4, num_groups=3, widths=(4,), kernel_size=3),
    "kmeans": lambda: KMeansParser(channels=4, num_groups=2),
    "tcn": lambda: BoundaryTCN(channels=4, hidden_channels=4),
    "transparser": lambda: TransParser(4, 3, unit=dict(num_patterns=3)),
}
FITTED = ("isba", "kmeans")
TOLD = r"features of é 1/a \(b\) have shape \(7, 6\), the model takes \(frames, 4\): set model\.channels"


def batch(*widths, length=7):
    samples = [TemporalSample.of(f"é {n}/a (b)", length, [3], label=n) for n in range(len(widths))]
    return [torch.randn(length, width) for width in widths], samples


@pytest.mark.parametrize("name", list(LOOKING))
class TestChannels:
    @pytest.mark.parametrize("mode", ["loss", "predict"])
    def test_one_odd_instance_is_named(self, name, mode):
        with pytest.raises(InputError, match=TOLD):
            LOOKING[name]()(*batch(4, 6, 4), mode=mode)

    def test_without_samples_its_place_is_told(self, name):
        with pytest.raises(InputError, match="features of instance 1 of the batch have shape"):
            LOOKING[name]()(batch(4, 6)[0])

    @pytest.mark.parametrize("shape", [(4,), (), (2, 7, 4)])
    def test_features_of_other_axes(self, name, shape):
        with pytest.raises(InputError, match=r"the model takes \(frames, 4\)"):
            LOOKING[name]()([torch.zeros(shape)], batch(4)[1], mode="predict")

    def test_the_right_ones_pass(self, name):
        told = LOOKING[name]().eval()(*batch(4, 4), mode="predict")
        assert [sample.pred_boundaries.ndim for sample in told] == [1, 1]

    def test_fit(self, name):
        if name not in FITTED:
            pytest.skip(f"{name} has no fit")
        parser = LOOKING[name]()
        with pytest.raises(InputError, match=TOLD):
            parser.fit(zip(*batch(4, 6)))
        parser.fit(zip(*batch(4, 4)))
        assert parser.centres.abs().sum() > 0


def test_every_method_that_fits_is_tested():
    fitting = {name for name, build in LOOKING.items() if "fit" in vars(type(build()))}
    assert fitting == set(FITTED)


def test_assignment_is_held_to_the_channels_too():
    with pytest.raises(InputError, match=TOLD):
        LOOKING["isba"]().assign(zip(*batch(4, 6)))


def test_floors_take_any_channels():
    inputs, samples = batch(4, 6, 1)
    for parser in (NoBoundary(), EvenBoundaries()):
        parser.fit(zip(inputs, samples))
        assert len(parser(inputs, samples, mode="predict")) == 3


METHOD = """
from tpsparse.models.temporal_parsing.base import TemporalParser
from tpsparse.registry import MODELS


@MODELS.register_module()
class OwnMethodOfTheTest(TemporalParser):
    pass
"""


def test_a_new_file_in_the_folder_is_a_method(tmp_path, monkeypatch):
    (tmp_path / "own_method_of_the_test.py").write_text(METHOD)
    name = f"{temporal_parsing.__name__}.own_method_of_the_test"
    monkeypatch.setattr(temporal_parsing, "__path__", [*temporal_parsing.__path__, str(tmp_path)])
    try:
        temporal_parsing.__spec__.loader.exec_module(temporal_parsing)  # as the first import does
        assert MODELS.get("OwnMethodOfTheTest").__module__ == name
    finally:
        MODELS.module_dict.pop("OwnMethodOfTheTest", None)
        sys.modules.pop(name, None)
        vars(temporal_parsing).pop("own_method_of_the_test", None)


def test_public_names_are_there():
    assert all(hasattr(temporal_parsing, name) for name in temporal_parsing.__all__)
    assert temporal_parsing.__all__ == sorted(temporal_parsing.__all__, key=str.lower)
