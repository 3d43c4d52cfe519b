"""Networks on ONNX Runtime and OpenVINO: the same numbers as in PyTorch, and the files that they are run from."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Barrier

import pytest
import torch
from runtime_networks import NETWORKS, assert_alike, items_of, open_network, predict
from torch import nn
from torch.utils._pytree import tree_leaves, tree_structure

from tpsparse.errors import InputError
from tpsparse.runtime import Runtime, engines, networks, run_with
from tpsparse.runtime.backends import packages
from tpsparse.runtime.engines import cache_folder, exported_graphs
from tpsparse.runtime.export import INDEX, export, identity, read_exported
from tpsparse.runtime.graphs import graphs_of
from tpsparse.runtime.signatures import Signature

for package in ("onnx", "onnxscript", "onnxruntime", "openvino"):
    pytest.importorskip(package)

BACKENDS = ("onnx", "openvino")
FP32 = 1e-4
BF16 = 2**-8
ROUNDINGS = 24
"""As in the test of PyTorch's own runtimes."""
SAME_CLASS = ("bn-inception", "yolof")
"""Of classes that are tested with another network: exporting takes its seconds."""
SMALL = "tsn flow"
ONE_TENSOR = tree_structure(((0,), {})), tree_structure(0)
"""Arguments and output of a graph from one tensor to one."""


@pytest.fixture(scope="module", autouse=True)
def one_table():
    """PyTorch reads its table of operators for each graph anew, which takes most of the time of a small one."""
    registration = pytest.importorskip("torch.onnx._internal.exporter._registration")
    with pytest.MonkeyPatch.context() as patch:
        read = lru_cache(registration.ONNXRegistry.from_torchlib)
        patch.setattr(registration.ONNXRegistry, "from_torchlib", staticmethod(read))
        yield


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Name of a network to where its checkpoint would be, with the exported files beside it."""
    folder = tmp_path_factory.mktemp("exported") / "weights (ü)"
    folder.mkdir()
    return lambda name: str(folder / f"{name}.pth")


def on_engine(name, checkpoint, **values):
    network = open_network(name)
    run_with(network, Runtime(**values), checkpoint=checkpoint)
    return network


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in SAME_CLASS])
def test_the_same_numbers(name, checkpoints):
    plain = open_network(name)
    items = items_of(plain)
    expected = predict(plain, items)
    for backend in BACKENDS:
        network = on_engine(name, checkpoints(name), backend=backend)
        assert_alike(predict(network, items), expected, FP32)
        assert_alike(predict(network, items[-1:]), predict(plain, items[-1:]), FP32)  # a batch of one
    lowered = on_engine(name, checkpoints(name), backend="openvino", precision="bf16")
    for graph, args, outputs in calls_of(plain, items):
        found = tree_leaves(graphs_of(lowered.model)[graph].call(*args))
        for one, other in zip(found, outputs, strict=True):
            error = (one - other).pow(2).mean().sqrt() / other.pow(2).mean().sqrt().clamp(min=1e-6)
            assert one.dtype == other.dtype and error <= ROUNDINGS * BF16, (graph, error.item() / BF16)


def calls_of(network, items):
    """Graph, arguments and outputs of each call while a network runs."""
    calls = []

    def recorder(name, call):
        def record(*args):
            given = copy.deepcopy(args)
            outputs = call(*args)
            calls.append((name, given, tree_leaves(outputs)))
            return outputs

        return record

    for name, graph in graphs_of(network.model).items():
        graph.put(recorder(name, graph.call))
    predict(network, items)
    return calls


def folder_of(checkpoint, backend="onnx"):
    [folder] = cache_folder(checkpoint, backend).iterdir()
    return folder


@pytest.fixture
def checkpoint(checkpoints, tmp_path):
    """A checkpoint of the small network of which the files are there already."""
    source = checkpoints(SMALL)
    exported_graphs(open_network(SMALL), "onnx", source)
    target = str(tmp_path / "epoch_1.pth")
    shutil.copytree(cache_folder(source, "onnx"), cache_folder(target, "onnx"))
    return target


@pytest.fixture
def exports(monkeypatch, checkpoints):
    """The backends of what is exported from now on; to ONNX in no time, because the files are there."""
    done = []
    own = engines.export

    def counted(network, signatures, folder, *, backend, programs):
        done.append(backend)
        if backend == "onnx":
            shutil.copytree(folder_of(checkpoints(SMALL)), folder)
        else:
            own(network, signatures, folder, backend=backend, programs=programs)

    monkeypatch.setattr(engines, "export", counted)
    return done


def test_files_are_made_once(checkpoint, exports):
    for _ in range(2):
        on_engine(SMALL, checkpoint, backend="onnx")
    assert exports == []
    assert sorted(path.name for path in folder_of(checkpoint).iterdir()) == ["backbone.onnx", INDEX]
    index = json.loads((folder_of(checkpoint) / INDEX).read_text())
    assert index["network"] == "FeatureRecognizer2D" and index["graphs"]["backbone"]["shapes"] == [[None, 10, 64, 64]]
    # What ONNX has serves OpenVINO.
    before = (folder_of(checkpoint) / INDEX).stat().st_mtime_ns
    on_engine(SMALL, checkpoint, backend="openvino")
    assert exports == ["openvino"] and (folder_of(checkpoint) / INDEX).stat().st_mtime_ns == before
    names = sorted(path.name for path in folder_of(checkpoint, "openvino").iterdir())
    assert names == ["backbone.bin", "backbone.xml", INDEX]


def test_other_weights_and_configs(checkpoint, exports, monkeypatch):
    def small_export(network, signatures, folder, *, backend, programs):
        """Only what says what the files follow from."""
        folder.mkdir()
        index = dict(identity(network, backend), graphs={})
        (folder / INDEX).write_text(json.dumps(index))
        exports.append(backend)

    monkeypatch.setattr(engines, "export", small_export)
    first = folder_of(checkpoint)
    network = open_network(SMALL)
    network.config.test_pipeline.append(dict(type="Another"))
    exported_graphs(network, "onnx", checkpoint)
    folders = set(cache_folder(checkpoint, "onnx").iterdir())
    assert exports == ["onnx"] and len(folders) == 2 and first in folders
    # Of other weights neither is of use any more; a folder that is not ours stays.
    (cache_folder(checkpoint, "onnx") / "mine").mkdir()
    with torch.no_grad():
        network.model.backbone.conv1.conv.weight[0] += 1
    exported_graphs(network, "onnx", checkpoint)
    left = {path.name for path in cache_folder(checkpoint, "onnx").iterdir()}
    assert len(exports) == 2 and len(left) == 2 and "mine" in left and not left & {path.name for path in folders}


@pytest.mark.parametrize("harm", ["cut", "gone", "index", "no index", "strange"])
def test_a_broken_file_is_made_again(checkpoint, exports, harm):
    folder = folder_of(checkpoint)
    file, index = folder / "backbone.onnx", folder / INDEX
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif harm == "gone":
        file.unlink()
    elif harm == "index":
        index.write_text(index.read_text()[:200])
    elif harm == "no index":
        index.unlink()
    else:
        index.write_text(json.dumps([1, 2]))
    plain, network = open_network(SMALL), on_engine(SMALL, checkpoint, backend="onnx")
    assert exports == ["onnx"]
    items = items_of(plain)
    assert_alike(predict(network, items), predict(plain, items), FP32)
    assert [path.name for path in cache_folder(checkpoint, "onnx").iterdir()] == [folder.name]


def test_what_another_process_has_made_meanwhile_is_used(checkpoint, exports, monkeypatch):
    cache = cache_folder(checkpoint, "onnx")
    folder = folder_of(checkpoint)
    moved = folder.rename(cache.with_name("elsewhere"))

    def slow_export(network, signatures, target, **options):
        shutil.copytree(moved, target)
        shutil.copytree(moved, folder)  # the other one is done first
        (folder / "mark").touch()

    monkeypatch.setattr(engines, "export", slow_export)
    found = exported_graphs(open_network(SMALL), "onnx", checkpoint)
    assert found["backbone"].path == folder / "backbone.onnx" and (folder / "mark").exists()
    assert [path.name for path in cache.iterdir()] == [folder.name]


def test_several_at_once(checkpoint, tmp_path, monkeypatch):
    ready, count = folder_of(checkpoint), 3
    all_are_at_it = Barrier(count)

    def slow_export(network, signatures, folder, **options):
        shutil.copytree(ready, folder)
        all_are_at_it.wait(timeout=60)

    monkeypatch.setattr(engines, "export", slow_export)
    opened = [open_network(SMALL) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(lambda each: exported_graphs(each, "onnx", str(tmp_path / "one.pth")), opened))
    [folder] = (tmp_path / "one.pth.onnx").iterdir()
    assert [graphs["backbone"].path for graphs in found] == [folder / "backbone.onnx"] * count
    assert read_exported(folder, identity(opened[0], "onnx")) is not None


def test_a_folder_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written .*: copy the checkpoint to a folder of yours"):
        on_engine(SMALL, str(locked / "a.pth"), backend="onnx")


def test_where_files_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert cache_folder("runs/a b.pth", "onnx") == Path("runs/a b.pth.onnx")
    assert cache_folder("https://a.org/x/w.pth", "openvino") == tmp_path / "hub" / "checkpoints" / "w.pth.openvino"


def test_inputs_of_another_size_are_told(checkpoint):
    network = on_engine(SMALL, checkpoint, backend="onnx")
    told = "graph backbone was exported for anyx10x64x64 and is given 1x10x32x64: use the config and options"
    with pytest.raises(InputError, match=told):
        network.model.backbone(torch.zeros(1, 10, 32, 64))


def test_nothing_goes_to_no_engine(checkpoint):
    network, plain = on_engine(SMALL, checkpoint, backend="onnx"), open_network(SMALL)
    nothing = torch.zeros(0, 10, 64, 64)
    assert network.model.backbone(nothing).shape == plain.model.backbone(nothing).shape == (0, 256, 4, 4)


def test_the_weights_of_graphs_are_freed(checkpoint):
    network = on_engine(SMALL, checkpoint, backend="onnx")
    assert not sum(weight.numel() for weight in network.model.backbone.parameters())
    assert network.model.cls_head.fc_cls.weight.numel()  # of no graph


SIGNALLED = """
import gc, signal, sys
from pathlib import Path
import torch
from tpsparse.runtime.backends.openvino import OpenVINOEngine

for _ in range(2):
    engines = [OpenVINOEngine(Path(sys.argv[1]), precision="fp32", threads=1) for _ in range(2)]
    engines[0]([torch.zeros(1, 10, 64, 64)])
    while engines:
        engines.pop(0)
        gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("told"))
signal.raise_signal(signal.SIGUSR1)
"""


def test_signals_reach_a_process_whose_engines_are_gone(checkpoint):
    """See the core that all engines share: with one each this process would end by a fault."""
    on_engine(SMALL, checkpoint, backend="openvino")
    program = folder_of(checkpoint, "openvino") / "backbone.xml"
    done = subprocess.run([sys.executable, "-c", SIGNALLED, program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (dict(backend="onnx", precision="bf16"), "runtime.precision is bf16, and ONNX Runtime runs the graphs in fp32"),
        (dict(backend="openvino", precision="fp16"), "runtime.precision is fp16, and OpenVINO has fp32, bf16 here"),
    ],
)
def test_precisions_that_an_engine_has_not(values, told, tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "usable_precision", lambda precision, device: precision)
    with pytest.raises(InputError, match=told):
        on_engine(SMALL, str(tmp_path / "a.pth"), **values)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("backend", "package", "told"),
    [
        ("onnx", "onnxruntime", "runtime.backend onnx needs the package onnxruntime"),
        ("openvino", "openvino", "runtime.backend openvino needs the package openvino"),
        ("onnx", "onnxscript", "exporting to onnx needs the package onnxscript"),
    ],
)
def test_missing_packages(backend, package, told, tmp_path, monkeypatch):
    own = packages.importlib.import_module

    def without(name):
        if name == package:
            raise ImportError(f"No module named {name!r}")
        return own(name)

    monkeypatch.setattr(packages.importlib, "import_module", without)
    with pytest.raises(InputError, match=rf'{told} .*: pip install "tpsparse\[export\]"'):
        on_engine("mlp", str(tmp_path / "a.pth"), backend=backend)
    assert not list(tmp_path.rglob("*.partial"))


class Undecided(nn.Module):
    """What it does depends on a number that no export can know."""

    def forward(self, inputs):
        return inputs[:, :1] if inputs.sum() > 0 else 2 * inputs[:, :1]


def test_a_graph_that_cannot_be_exported(tmp_path):
    network = open_network(SMALL)
    network.model.backbone = Undecided()
    signature = Signature([[None, 10, 8, 8]], [torch.float32], [[2, 10, 8, 8]], *ONE_TENSOR)
    with pytest.raises(InputError, match="graph backbone cannot be exported .*: set runtime.backend to torch"):
        export(network, {"backbone": signature}, tmp_path, backend="onnx")
    assert not list(tmp_path.iterdir())
