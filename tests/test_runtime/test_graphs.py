from __future__ import annotations

import pytest
from runtime_networks import NETWORKS, open_network
from torch import nn

from tpsparse.errors import InputError
from tpsparse.runtime.graphs import Graph, exact_modules, graphs_of, modules_at

HEADS = [f"roi_head.bbox_head.{stage}" for stage in range(3)]
EXPECTED = {
    "cascade": ["backbone", "neck", "rpn_head", *HEADS, "instance_action.convs"],
    "yolof": ["backbone", "neck", "bbox_head"],
    "part yolof": ["backbone", "neck", "bbox_head"],
    "faster": ["backbone", "rpn_head", "roi_head.bbox_head"],
    "pose": ["backbone", "head"],
    "parsing hrnet": ["backbone", "part_head", "state_head"],
    "part states": ["backbone", "embedding", "relevance_head", "visual_head", "state_head"],
    **{name: ["backbone"] for name in ("swin views", "timesformer", "ip-csn", "tsn flow", "bn-inception")},
    **{name: ["logits"] for name in ("mlp", "lstm")},
}


def test_every_network_is_expected():
    assert list(EXPECTED) == list(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_kinds(name):
    graphs = graphs_of(open_network(name).model)
    assert list(graphs) == EXPECTED[name]
    assert all(graph.name == key and callable(graph.call) for key, graph in graphs.items())
    light = [key for key, graph in graphs.items() if graph.light]
    assert light == (EXPECTED[name][2:] if name == "part states" else ["logits"] if name in ("mlp", "lstm") else [])
    inner = [key for key, graph in graphs.items() if graph.inner]
    few = {"cascade": ["backbone"], "faster": ["backbone"]}
    assert inner == few.get(name, [key for key in EXPECTED[name][:-1] if key in ("backbone", "neck")])


def test_a_class_that_is_not_declared():
    for look in (graphs_of, exact_modules):
        with pytest.raises(InputError, match="Linear has no graphs in tpsparse/runtime/graphs.py"):
            look(nn.Linear(1, 1))


def test_what_takes_inner_graphs():
    assert [name for name, _ in exact_modules(open_network("cascade").model)] == ["context_action"]
    assert not exact_modules(open_network("faster").model) and not exact_modules(open_network("mlp").model)


class Doubler(nn.Module):
    def forward(self, value):
        return 2 * value

    def logits(self, value):
        return 3 * value


def test_put_and_restore():
    owner = Doubler()
    whole, other = Graph("", owner), Graph("logits", owner, "logits")
    whole.put(lambda value: 5 * value)
    assert (owner(1), owner.logits(1), whole.call(1)) == (5, 3, 5)
    other.put(lambda value: 7 * value)
    whole.restore()
    whole.restore()  # nothing to undo
    assert (owner(1), owner.logits(1)) == (2, 7)


def test_modules_at():
    holder = nn.Module()
    holder.inside = nn.Module()
    holder.inside.each = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    holder.inside.none = None
    assert [name for name, _ in modules_at(holder, "inside.each")] == ["inside.each.0", "inside.each.1"]
    assert dict(modules_at(holder, "inside")) == {"inside": holder.inside}
    assert not list(modules_at(holder, "inside.none")) and not list(modules_at(holder, "absent.each"))
