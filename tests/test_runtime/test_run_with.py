"""Networks under PyTorch's runtimes: the same numbers as without, and what is refused."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from runtime_networks import NETWORKS, assert_alike, items_of, open_network, predict
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves

from tpsparse.errors import InputError
from tpsparse.runtime import PRESETS, Runtime, networks, precision, run_with
from tpsparse.runtime.graphs import graphs_of, network_in

FP32 = 1e-4
BF16 = 2**-8
"""Half of the distance between neighbours of bf16, as a share of the number."""
ROUNDINGS = 24
"""How many of the many roundings on a way through a network add up; if all did it would be a hundred, if they were
independent its root."""
PROBABILITIES = ("pred_instances.scores", "pred_score", "state_scores", "action_scores")


@pytest.fixture(autouse=True)
def multiplies(monkeypatch):
    """bf16 is computed, emulated or not: only the numbers matter."""
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: True)


def use(network, **values):
    run_with(network, Runtime(**values), checkpoint="")
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_numbers_in_fp32(name):
    plain = open_network(name)
    items = items_of(plain)
    expected = predict(plain, items)
    for values in (
        dict(fuse=True),
        dict(memory_format="channels_last"),
        dict(fuse=True, memory_format="channels_last"),
    ):
        assert_alike(predict(use(open_network(name), **values), items), expected, FP32)


@pytest.mark.parametrize("name", NETWORKS)
def test_all_norms_of_convolutions_are_folded(name):
    network = use(open_network(name), fuse=True)
    assert not [each for each in network.model.modules() if isinstance(each, _BatchNorm)]


def record_calls(network, items):
    """Name of each graph to its calls: arguments, and tensors that came out."""
    calls = {name: [] for name in graphs_of(network.model)}

    def recorder(name, call):
        def record(*args):
            given = copy.deepcopy(args)
            outputs = call(*args)
            calls[name].append((given, tree_leaves(outputs)))
            return outputs

        return record

    for name, graph in graphs_of(network.model).items():
        graph.put(recorder(name, graph.call))
    predict(network, items)
    for graph in graphs_of(network.model).values():
        graph.restore()
    return calls


@pytest.mark.parametrize("name", NETWORKS)
def test_graphs_in_bf16(name):
    plain = open_network(name)
    calls = record_calls(plain, items_of(plain))
    lowered = use(open_network(name), precision="bf16", fuse=True, memory_format="channels_last")
    graphs = graphs_of(lowered.model)
    assert sum(map(len, calls.values())) >= len(graphs)
    for graph in graphs.values():
        for args, expected in calls[graph.name]:
            with torch.inference_mode():
                found = tree_leaves(graph.call(*args))
            for one, other in zip(found, expected, strict=True):
                assert one.dtype == torch.bfloat16 if graph.inner else one.dtype == other.dtype
                error = (one.float() - other).pow(2).mean().sqrt() / other.pow(2).mean().sqrt().clamp(min=1e-6)
                assert error <= (0 if graph.light else ROUNDINGS * BF16), (graph.name, error.item() / BF16)


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_in_bf16(name):
    network = use(open_network(name), precision="bf16", fuse=True, memory_format="channels_last")
    found = predict(network, items_of(network))
    assert found
    for field, tensor in found:
        assert tensor.dtype not in (torch.bfloat16, torch.float16), field
        if field in PROBABILITIES:
            assert ((tensor >= 0) & (tensor <= 1)).all(), field


def test_predictions_in_bf16_follow_those_in_fp32():
    for name in ("part yolof", "parsing hrnet", "part states", "timesformer", "ip-csn"):
        plain = open_network(name)
        items = items_of(plain)
        lowered = use(open_network(name), precision="bf16")
        for (field, one), (_, other) in zip(predict(lowered, items), predict(plain, items), strict=True):
            if field.endswith(("score", "scores", "feature", "visual")):
                assert (one - other).abs().max() <= ROUNDINGS * BF16 * other.abs().max(), (name, field)


def test_nothing_asked_changes_nothing():
    network = open_network("pose")
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    use(network)
    assert all(torch.equal(value, before[name]) for name, value in network.model.state_dict().items())
    assert not any("forward" in vars(module) for module in network.model.modules())


def test_twice_the_same_and_another():
    network = use(open_network("tsn flow"), fuse=True, precision="bf16")
    calls = [graph.call for graph in graphs_of(network.model).values()]
    use(network, fuse=True, precision="bf16", batch_frames=3)  # how many items are in a batch is not of the network
    assert [graph.call for graph in graphs_of(network.model).values()] == calls
    for other in (dict(), dict(fuse=True)):
        with pytest.raises(ValueError, match="load the network again"):
            use(network, **other)
    exact = use(open_network("tsn flow"))
    with pytest.raises(ValueError, match="runs with"):
        use(exact, fuse=True)


def test_views_share_the_network():
    network = use(open_network("swin views"), precision="bf16")
    assert network_in(network.model) is not network.model
    assert hasattr(network_in(network.model), networks.STATE)
    with pytest.raises(ValueError, match="runs with"):
        use(network)


LAST = {
    "cascade": [f"roi_head.bbox_head.{stage}.{name}" for stage in range(3) for name in ("fc_cls", "fc_reg")],
    "yolof": [f"bbox_head.{name}" for name in ("cls_score", "bbox_pred", "object_pred")],
    "faster": ["roi_head.bbox_head.fc_cls", "roi_head.bbox_head.fc_reg"],
    "pose": ["head.final_layer"],
    "parsing hrnet": ["part_head.heatmaps", "state_head.logits"],
}
"""What is compared with each other and with thresholds, by hand."""


@pytest.mark.parametrize("name", LAST)
def test_last_layers_stay_in_32_bits(name):
    network = use(open_network(name), precision="bf16").model
    modules = dict(network_in(network).named_modules())
    for layer in LAST[name]:
        assert {weight.dtype for weight in modules[layer].parameters()} == {torch.float32}, layer
    assert torch.bfloat16 in {weight.dtype for weight in network.parameters()}


class Strange(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)
        self.eval()


def test_an_unknown_class_runs_in_fp32_alone():
    for values in (dict(precision="bf16"), dict(compile=True), dict(backend="onnx")):
        network = open_network("tsn flow")
        network.model = Strange()
        with pytest.raises(InputError, match="Strange has no graphs in tpsparse/runtime/graphs.py: declare them there"):
            use(network, **values)
    for preset in PRESETS.values():
        network = open_network("tsn flow")
        network.model = Strange()
        if preset.precision == "fp32":
            run_with(network, preset, checkpoint="")
            assert isinstance(network.model.norm, nn.Identity)


def test_compiled(monkeypatch):
    # Captured as for the compiler, and then run as captured: translating to C++ takes a minute.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    monkeypatch.setattr(networks, "_check_compiler", lambda device: None)
    plain = open_network("mlp")
    items = items_of(plain)
    compiled = use(open_network("mlp"), compile=True)
    assert graphs_of(compiled.model)["logits"].call != graphs_of(plain.model)["logits"].call
    assert_alike(predict(compiled, items), predict(plain, items), FP32)
    # Another batch, and other frames and persons.
    assert_alike(predict(compiled, items[:1]), predict(plain, items[:1]), FP32)


def test_no_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match="runtime.compile needs a C\\+\\+ compiler, and no-such-compiler is not here"):
        use(open_network("mlp"), compile=True)
