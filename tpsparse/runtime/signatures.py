"""What goes into a network's graphs and comes out: seen while the network runs on made items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_flatten

from ..errors import InputError
from .graphs import Graph, graphs_of, network_in
from .made_items import made_items

if TYPE_CHECKING:
    from .networks import Network

LEAST = 2
"""Of a side that may vary, in an example: torch.export takes 0 and 1 for sides that never vary."""


@dataclass
class Signature:
    """The tensors of one graph.

    Args:
        shapes: Of each tensor that goes in; None where it varies. The first side always does: it counts frames,
            persons, regions or clips.
        dtypes: Of each.
        sizes: An example of each shape.
        arguments: How the tensors are arranged in the call's positional and named arguments.
        outputs: How the tensors that come out are arranged.
    """

    shapes: list[list[int | None]]
    dtypes: list[torch.dtype]
    sizes: list[list[int]]
    arguments: TreeSpec
    outputs: TreeSpec

    def example(self) -> list[Tensor]:
        """Tensors of the example's sizes."""
        return [torch.ones(size, dtype=dtype) for size, dtype in zip(self.sizes, self.dtypes)]


@dataclass
class _Calls:
    """What was seen of a graph: shapes by call, and how tensors are arranged."""

    shapes: list[list[tuple[int, ...]]] = field(default_factory=list)
    dtypes: list[torch.dtype] = field(default_factory=list)
    arguments: TreeSpec | None = None
    outputs: TreeSpec | None = None


def find_signatures(network: Network) -> dict[str, Signature]:
    """The signature of each graph of a network, which runs once or twice for it.

    Raises:
        InputError: If its class is not known, or a graph takes or gives anything but tensors, or is not called.
    """
    model = network_in(network.model)
    calls = {name: _Calls() for name in graphs_of(model)}
    with _recorded(graphs_of(model), calls):
        for item in made_items(model, network.config, network.pipeline):
            network.predict([item])
    return {name: _signature(name, seen) for name, seen in calls.items()}


def picked(tree: Any, like: Any) -> Any:
    """Of nested lists, tuples and dicts what another such tree has: a batch may have more features than a graph takes.

    Raises:
        KeyError: If a dict lacks a name.
        ValueError: If lists are of other lengths.
    """
    if isinstance(like, dict):
        return {name: picked(tree[name], each) for name, each in like.items()}
    if isinstance(like, (list, tuple)):
        return [picked(part, each) for part, each in zip(tree, like, strict=True)]
    return tree


def tensors_in(tree: Any, about: str) -> tuple[list[Tensor], TreeSpec]:
    """The tensors of nested lists, tuples and dicts, and their arrangement.

    Raises:
        InputError: If there is anything else; ``about`` says whose it is.
    """
    leaves, arrangement = tree_flatten(tree)
    strange = [type(leaf).__name__ for leaf in leaves if not isinstance(leaf, Tensor)]
    if strange:
        raise InputError(f"{about} has {strange[0]} beside tensors: it can be run by torch alone")
    return leaves, arrangement


@contextmanager
def _recorded(graphs: dict[str, Graph], calls: dict[str, _Calls]) -> Iterator[None]:
    before = {name: vars(graph.owner).get(graph.method) for name, graph in graphs.items()}
    try:
        for name, graph in graphs.items():
            graph.put(_recorder(name, graph.call, calls[name]))
        yield
    finally:
        for name, graph in graphs.items():
            graph.restore()
            own = before[name]
            if own is not None:
                graph.put(own)


def _recorder(name: str, call: Callable[..., Any], seen: _Calls) -> Callable[..., Any]:
    def record(*args: Any, **kwargs: Any) -> Any:
        tensors, seen.arguments = tensors_in((args, kwargs), f"the input of graph {name}")
        seen.shapes.append([tuple(tensor.shape) for tensor in tensors])
        seen.dtypes = [tensor.dtype for tensor in tensors]
        outputs = call(*args, **kwargs)
        _, seen.outputs = tensors_in(outputs, f"the output of graph {name}")
        return outputs

    return record


def _signature(name: str, seen: _Calls) -> Signature:
    if seen.arguments is None or seen.outputs is None:
        raise InputError(f"graph {name} is not called by its network: correct tpsparse/runtime/graphs.py")
    by_tensor = list(zip(*seen.shapes))
    shapes = [_joined(each) for each in by_tensor]
    sizes = [_example(shape, each) for shape, each in zip(shapes, by_tensor)]
    return Signature(shapes, seen.dtypes, sizes, seen.arguments, seen.outputs)


def _joined(shapes: Sequence[tuple[int, ...]]) -> list[int | None]:
    """One shape for several, None where they differ and for the first side."""
    sides = [set(side) for side in zip(*shapes)]
    return [None if place == 0 or len(side) > 1 else side.pop() for place, side in enumerate(sides)]


def _example(shape: Sequence[int | None], seen: Sequence[tuple[int, ...]]) -> list[int]:
    largest = [max(side) for side in zip(*seen)]
    return [max(LEAST, most) if side is None else side for side, most in zip(shape, largest)]
