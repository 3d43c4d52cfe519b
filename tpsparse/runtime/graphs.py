"""Which functions of a network map tensors to tensors, and so can be compiled, cast, or given to another engine.

What lies between them stays in PyTorch and in float32: preparation, the making of proposals, RoIAlign, suppression, the
decoding of boxes and heatmaps, probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmdet.models.detectors import YOLOF, CascadeRCNN, FasterRCNN
from mmengine.model import BaseTTAModel
from mmpose.models import TopdownPoseEstimator
from torch import nn

from ..errors import InputError
from ..models.fusion import FeatureClassifier
from ..models.part_parsing import ParsingHRNet
from ..models.part_states import PartStateNet

WHOLE = "logits"
"""The method that is the graph of a classifier of features."""


@dataclass(frozen=True)
class Kind:
    """The graphs of a class of networks, by dotted names; one that a network has not is passed over.

    Args:
        classes: Of the networks.
        inner: Graphs whose outputs go into other graphs, or into modules of ``exact``, and nowhere else.
        outer: The other graphs that are worth a lower precision.
        light: Those that are not.
        exact: Submodules that are no graphs, and take what inner graphs give.
    """

    classes: tuple[type[nn.Module], ...]
    inner: tuple[str, ...] = ()
    outer: tuple[str, ...] = ()
    light: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()


KINDS = (
    Kind(
        (FasterRCNN, CascadeRCNN),
        inner=("backbone",),
        # mmdet's extractors of regions round the places of boxes to the bits of the maps.
        outer=("neck", "rpn_head", "roi_head.bbox_head", "instance_action.convs"),
        exact=("context_action",),
    ),
    Kind((YOLOF,), inner=("backbone", "neck"), outer=("bbox_head",)),
    Kind((TopdownPoseEstimator,), inner=("backbone", "neck"), outer=("head",)),
    Kind((ParsingHRNet,), inner=("backbone",), outer=("part_head", "state_head")),
    Kind(
        (PartStateNet,),
        inner=("backbone",),
        outer=("embedding",),
        light=("relevance_head", "visual_head", "state_head"),
    ),
    Kind((BaseRecognizer,), outer=("backbone",)),
)


@dataclass(frozen=True)
class Graph:
    """A function from tensors to tensors, in lists, tuples and dicts, that a network calls as a method of a module.

    Args:
        name: In the network.
        owner: The module.
        method: The method; what is put in its place is called instead.
        inner: What it gives goes into other graphs alone, so it may be of few bits.
        light: It takes so little time that it is not worth a lower precision.
    """

    name: str
    owner: nn.Module
    method: str = "forward"
    inner: bool = False
    light: bool = False

    @property
    def call(self) -> Callable[..., Any]:
        """What is called now."""
        return getattr(self.owner, self.method)

    def put(self, call: Callable[..., Any]) -> None:
        """Let the network call something else."""
        setattr(self.owner, self.method, call)

    def restore(self) -> None:
        """Let the network call its own method again."""
        self.owner.__dict__.pop(self.method, None)


def graphs_of(model: nn.Module) -> dict[str, Graph]:
    """The graphs of a network by name, in the order in which it calls them.

    Args:
        model: A network of any stage; one that merges several views is looked into.

    Raises:
        InputError: If its class is not declared here.
    """
    network = network_in(model)
    if isinstance(network, FeatureClassifier):
        return {WHOLE: Graph(WHOLE, network, WHOLE, light=True)}
    kind = _kind_of(network)
    graphs = []
    for names, is_inner, is_light in ((kind.inner, True, False), (kind.outer, False, False), (kind.light, False, True)):
        for each in names:
            graphs += [Graph(*found, inner=is_inner, light=is_light) for found in modules_at(network, each)]
    return {graph.name: graph for graph in graphs}


def exact_modules(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules of a network that are no graphs and take what inner graphs give, by name.

    Raises:
        InputError: If its class is not declared here.
    """
    network = network_in(model)
    if isinstance(network, FeatureClassifier):
        return []
    return [found for name in _kind_of(network).exact for found in modules_at(network, name)]


def _kind_of(network: nn.Module) -> Kind:
    for kind in KINDS:
        if isinstance(network, kind.classes):
            return kind
    raise InputError(
        f"{type(network).__name__} has no graphs in tpsparse/runtime/graphs.py: declare them there, or set "
        "runtime.precision to fp32 and runtime.backend to torch"
    )


def network_in(model: nn.Module) -> nn.Module:
    """The network itself, where several views of an input are merged."""
    return model.module if isinstance(model, BaseTTAModel) else model


def device_of(module: nn.Module) -> torch.device:
    """Where a network, or a part of one, is; the processor where it has no weights."""
    return next((weight.device for weight in module.parameters()), torch.device("cpu"))


def modules_at(network: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """The module at a dotted name, and its name; each of them where there is a list; none where there is nothing."""
    found: Any = reduce(lambda module, part: getattr(module, part, None), name.split("."), cast(Any, network))
    if isinstance(found, nn.ModuleList):
        for number, each in enumerate(found):
            yield f"{name}.{number}", each
    elif found is not None:
        yield name, found
