"""Which engine ``backend="fastest"`` comes to, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtime_networks import assert_alike, items_of, open_network, predict

from tpsparse.errors import InputError
from tpsparse.runtime import PRESETS, Runtime, fastest, precision, run_with
from tpsparse.runtime.fastest import choose_engine

FP32 = 1e-4
FASTEST = Runtime(backend="fastest")
TABLE = {"bf16": {"HRNet": "openvino"}, "fp32": {"HRNet": "onnx"}}


@pytest.fixture(autouse=True)
def table(monkeypatch):
    monkeypatch.setattr(fastest, "ENGINES", TABLE)


@pytest.fixture
def made(monkeypatch):
    """Names of engines whose files were asked for."""
    from tpsparse.runtime import engines

    done = []
    monkeypatch.setattr(engines, "exported_graphs", lambda network, backend, checkpoint: done.append(backend))
    return done


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr(fastest, "print_log", lambda line, *_, **__: lines.append(line))
    fastest._warn.cache_clear()
    return lines


def multiplies(monkeypatch, known):
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: known)


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    """Whether a package is there: all are but those that are put into the set."""
    missing = set()
    monkeypatch.setattr(fastest.importlib.util, "find_spec", lambda name: None if name in missing else object())
    return missing


@pytest.mark.parametrize(
    ("asked", "has_bf16", "chosen"), [("bf16", True, "openvino"), ("bf16", False, "onnx"), ("fp32", True, "onnx")]
)
def test_by_what_is_computed(asked, has_bf16, chosen, made, told, monkeypatch):
    multiplies(monkeypatch, has_bf16)
    runtime = Runtime(asked, "channels_last", fuse=True, backend="fastest", batch_frames=3)
    assert choose_engine(open_network("pose"), runtime, "a.pth") == Runtime(
        asked, "channels_last", True, False, chosen, 3
    )
    assert (made, told) == ([chosen], [])


def test_others_and_gpus_stay_with_torch(made):
    for network in (open_network("tsn flow"), open_network("mlp")):
        assert choose_engine(network, FASTEST, "a.pth").backend == "torch"
    network = open_network("pose")
    network.model.to("meta")  # for a GPU
    assert choose_engine(network, FASTEST, "a.pth").backend == "torch"
    assert not made


def test_missing_packages_are_told_once(made, told, packages):
    packages |= {"onnxscript", "onnxruntime"}
    for _ in range(2):
        assert choose_engine(open_network("pose"), FASTEST, "a.pth").backend == "torch"
    assert not made and len(told) == 1
    assert told[0].startswith("onnx would run some networks faster and needs onnxscript, onnxruntime: pip install")


def test_files_that_cannot_be_made_are_told(told, monkeypatch):
    from tpsparse.runtime import engines

    def refuse(*_):
        raise InputError("/data/w.pth.onnx cannot be written: copy the checkpoint")

    monkeypatch.setattr(engines, "exported_graphs", refuse)
    network = open_network("pose")
    assert choose_engine(network, FASTEST, "a.pth").backend == "torch"
    [line] = told
    assert line.startswith(f"{network.config.filename} runs on PyTorch") and line.endswith("copy the checkpoint")


def test_a_network_runs_so(tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    plain, network = open_network("pose"), open_network("pose")
    items = items_of(plain)
    for _ in range(2):  # to ask again does nothing
        run_with(network, FASTEST, checkpoint=str(tmp_path / "a.pth"))
    assert_alike(predict(network, items), predict(plain, items), FP32)
    assert not sum(weight.numel() for weight in network.model.backbone.parameters())  # they are the engine's
    with pytest.raises(ValueError, match="runs with"):
        run_with(network, Runtime(), checkpoint=str(tmp_path / "a.pth"))


def test_the_measured_table(monkeypatch):
    """It names engines that are there, for precisions that they have, and is what fast uses."""
    monkeypatch.undo()
    from tpsparse.runtime.backends import openvino

    assert set(fastest.ENGINES) == {"fp32", "bf16"} and PRESETS["fast"].backend == "fastest"
    assert {engine for engines in fastest.ENGINES.values() for engine in engines.values()} <= set(fastest.PACKAGES)
    assert set(fastest.ENGINES["bf16"].values()) <= {"openvino"} and "bf16" in openvino.HINTS


def test_checkpoint_folder(tmp_path, monkeypatch, made):
    """What an engine needs is asked for beside the checkpoint."""
    from tpsparse.runtime import engines

    seen = []
    monkeypatch.setattr(engines, "exported_graphs", lambda network, backend, checkpoint: seen.append(checkpoint))
    choose_engine(open_network("pose"), FASTEST, str(tmp_path / "w (1).pth"))
    assert [Path(each).name for each in seen] == ["w (1).pth"]
