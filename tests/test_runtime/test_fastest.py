"""Which engine ``backend="fastest"`` comes to, and that PyTorch takes its place where it fails."""

from __future__ import annotations

import pytest
import torch
from runtime_networks import assert_alike, items_of, open_network, predict

from tpsparse.errors import InputError
from tpsparse.runtime import PRESETS, Runtime, engines, fastest, networks, precision, run_with
from tpsparse.runtime.backends import openvino
from tpsparse.runtime.fastest import fastest_engine
from tpsparse.runtime.graphs import network_in

FP32 = 1e-4
FASTEST = Runtime(backend="fastest", memory_format="channels_last")
CPU = torch.device("cpu")


@pytest.fixture
def table(monkeypatch):
    """Another than the measured one, so that both engines are in it."""
    monkeypatch.setattr(fastest, "ENGINES", {"bf16": {"HRNet": "openvino"}, "fp32": {"HRNet": "onnx"}})


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr(networks, "print_log", lambda line, *_, **__: lines.append(line))
    return lines


def test_by_what_is_computed(table):
    pose = open_network("pose").model
    assert [fastest_engine(pose, each, CPU) for each in ("bf16", "fp32", "fp16")] == ["openvino", "onnx", "torch"]
    assert fastest_engine(pose, "bf16", torch.device("cuda")) == "torch"
    assert {fastest_engine(open_network(name).model, "bf16", CPU) for name in ("cascade", "mlp")} == {"torch"}


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        *(("pose", "openvino"), ("parsing hrnet", "openvino"), ("timesformer", "openvino"), ("tsn flow", "openvino")),
        *(("yolof", "openvino"), ("part yolof", "openvino")),
        *(("cascade", "torch"), ("faster", "torch"), ("swin views", "torch"), ("lstm", "torch")),
    ],
)
def test_kinds_of_networks(name, engine):
    """By the class that each is a kind of; that of several views is looked into."""
    assert fastest_engine(network_in(open_network(name).model), "bf16", CPU) == engine


@pytest.mark.parametrize(("has_bf16", "run"), [(True, ("bf16", "openvino")), (False, ("fp32", "onnx"))])
def test_what_a_network_runs_with_is_told(table, told, monkeypatch, has_bf16, run):
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: has_bf16)
    asked = []
    monkeypatch.setattr(engines, "run_on_engine", lambda network, runtime, checkpoint: asked.append(checkpoint))
    network = open_network("pose")
    for persons in (3, 5):  # to ask again does nothing
        found = run_with(network, Runtime("bf16", backend="fastest", batch_persons=persons), checkpoint="w (1).pth")
        assert found == Runtime(run[0], backend=run[1], batch_persons=persons)
    assert asked == ["w (1).pth"] and not told
    with pytest.raises(ValueError, match="runs with"):
        run_with(network, Runtime(), checkpoint="")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("runtime.backend onnx needs the package onnxruntime: pip install"), "onnxruntime: pip install"),
        (OSError(30, "Read-only file system", "w.pth.onnx"), "[Errno 30] Read-only file system: 'w.pth.onnx'"),
        (NotADirectoryError(20, "Not a directory", "w.pth.onnx"), "Not a directory: 'w.pth.onnx'"),
        (RuntimeError("no kernel\nfor this"), "than onnx: no kernel"),
        (ImportError("libfoo.so"), "than onnx: libfoo.so"),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("place", ["exported_graphs", "open_engine"])
def test_what_fails_is_run_by_torch(table, told, monkeypatch, tmp_path, place, error, line):
    def fail(*_, **__):
        raise error

    pytest.importorskip("onnxruntime")
    if place == "exported_graphs":
        monkeypatch.setattr(engines, place, fail)
    else:  # of one of several graphs, when others may have been opened
        monkeypatch.setattr(engines, "exported_graphs", lambda *_: _Anything())
        monkeypatch.setattr(engines.BACKENDS["onnx"], place, fail)
    plain, network = open_network("pose"), open_network("pose")
    items = items_of(plain)
    found = run_with(network, FASTEST, checkpoint=str(tmp_path / "a.pth"))
    assert found == Runtime(memory_format="channels_last")
    assert_alike(predict(network, items), predict(plain, items), FP32)
    assert len(told) == 1 and told[0].startswith(f"{network.config.filename} runs on PyTorch") and line in told[0]


class _Anything(dict):
    def __missing__(self, name):
        return type("Exported", (), dict(path=name))


def test_a_cache_that_cannot_be_made_is_told(tmp_path):
    """Asked for by name, an engine is not replaced: the message says what to do."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    (tmp_path / "a.pth.onnx").write_text("a file where the folder would be")
    with pytest.raises(
        InputError, match=r"a\.pth\.onnx cannot be written .*: copy the checkpoint to a folder of yours"
    ):
        run_with(open_network("mlp"), Runtime(backend="onnx"), checkpoint=str(tmp_path / "a.pth"))


def test_a_network_runs_so(table, told, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    plain, network = open_network("pose"), open_network("pose")
    items = items_of(plain)
    assert run_with(network, FASTEST, checkpoint=str(tmp_path / "a.pth")).backend == "onnx"
    assert_alike(predict(network, items), predict(plain, items), FP32)
    assert not sum(weight.numel() for weight in network.model.backbone.parameters())  # they are the engine's


def test_the_measured_table():
    """It names engines that are there, for precisions that they have, and is what fast uses."""
    assert set(fastest.ENGINES) == {"fp32", "bf16"} and PRESETS["fast"].backend == "fastest"
    assert {engine for named in fastest.ENGINES.values() for engine in named.values()} <= set(engines.BACKENDS)
    assert set(fastest.ENGINES["bf16"].values()) <= {"openvino"} and "bf16" in openvino.HINTS
