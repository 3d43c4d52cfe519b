from __future__ import annotations

import pytest
import torch
from runtime_networks import NETWORKS, open_network
from torch import nn

from tpsparse.errors import InputError
from tpsparse.runtime import signatures
from tpsparse.runtime.graphs import graphs_of
from tpsparse.runtime.signatures import find_signatures, picked, tensors_in

INPUTS = {
    "cascade": [None, 3, None, None],
    "yolof": [None, 3, None, None],
    "part yolof": [None, 3, 128, 96],
    "faster": [None, 3, None, None],
    "pose": [None, 3, 128, 96],
    "parsing hrnet": [None, 3, 128, 96],
    "swin views": [None, 3, 8, 64, 64],
    "timesformer": [None, 3, 8, 96, 96],
    "ip-csn": [None, 3, 8, 56, 56],
    "tsn flow": [None, 10, 64, 64],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_of_every_network(name):
    network = open_network(name)
    found = find_signatures(network)
    graphs = graphs_of(network.model)
    assert list(found) == list(graphs)
    assert not any(graph.method in vars(graph.owner) for graph in graphs.values())  # all is as it was
    for signature in found.values():
        assert [len(shape) for shape in signature.shapes] == [len(size) for size in signature.sizes]
        for shape, size in zip(signature.shapes, signature.sizes):
            assert shape[0] is None
            assert all(given >= 2 if side is None else given == side for side, given in zip(shape, size))
    if name in INPUTS:
        assert found["backbone"].shapes == [INPUTS[name]]


def test_features_vary_in_frames_and_persons():
    signature = find_signatures(open_network("mlp"))["logits"]
    of_videos = [shape for shape in signature.shapes if len(shape) == 2 and shape[1] is not None]
    assert of_videos and all(shape[:1] == [None] for shape in of_videos)
    assert all(shape[:3] == [None] * 3 for shape in signature.shapes if len(shape) == 4)
    assert torch.bool in signature.dtypes


def test_picked():
    like = ([0, {"b": 1, "a": (2,)}], {})
    assert picked(([7, {"a": [8], "more": 9, "b": 6}], {}), like) == [[7, {"b": 6, "a": [8]}], {}]
    with pytest.raises(KeyError):
        picked(([7, {"a": [8]}], {}), like)
    with pytest.raises(ValueError, match="shorter|longer"):
        picked(([7], {}), like)


def test_tensors_in():
    one = torch.ones(1)
    assert tensors_in({"a": [one, (one,)]}, "it")[0] == [one, one]
    for strange in (None, 3, "text"):
        with pytest.raises(InputError, match="it has (NoneType|int|str) beside tensors: it can be run by torch alone"):
            tensors_in([one, strange], "it")


def test_a_graph_that_is_not_called(monkeypatch):
    network = open_network("tsn flow")
    network.model.backbone.spare = nn.Identity()
    graphs = {**graphs_of(network.model), "spare": signatures.Graph("spare", network.model.backbone.spare)}
    monkeypatch.setattr(signatures, "graphs_of", lambda model: graphs)
    with pytest.raises(InputError, match="graph spare is not called by its network"):
        find_signatures(network)
