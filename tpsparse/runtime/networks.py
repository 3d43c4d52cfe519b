"""A network put into the state that a runtime asks for."""

from __future__ import annotations

import os
import shutil
from typing import Any, Protocol

import torch
from mmengine.config import Config
from torch import nn

from ..errors import InputError
from .fastest import choose_engine
from .fusing import fuse_norms, lay_out
from .graphs import graphs_of, network_in
from .precision import DTYPES, lower_precision, usable_precision
from .products import attend_at_once, multiply_by_onednn
from .regions import pool_regions
from .settings import Runtime

STATE = "_runtime"
"""Attribute of a network: what it has been prepared for."""


class Network(Protocol):
    """What is run: a :class:`tpsparse.parsing.network.TrainedNetwork`."""

    config: Config
    model: Any
    pipeline: Any

    def predict(self, items: list[dict[str, Any]]) -> list[Any]:
        """Run prepared items as one batch."""


def run_with(network: Network, runtime: Runtime, *, checkpoint: str) -> None:
    """Let a trained network run as a runtime says, from now on.

    Its weights are changed in place, so a network has one runtime; to ask for the same again does nothing.

    Args:
        network: On its device, in testing.
        runtime: What to do.
        checkpoint: File or URL of the weights; what an engine needs is kept beside it.

    Raises:
        InputError: If the network, the machine or the packages at hand do not allow it.
        ValueError: If it has another runtime already.
    """
    asked, owner = runtime.identity(), network_in(network.model)
    given = getattr(owner, STATE, asked)
    if given != asked:
        raise ValueError(f"{network.config.filename} runs with {given} already: load the network again for {asked}")
    if hasattr(owner, STATE):
        return
    if runtime.backend == "fastest":
        runtime = choose_engine(network, runtime, checkpoint)
    if runtime.backend == "torch":
        optimise(network.model, runtime)
    else:
        from .engines import run_on_engine

        run_on_engine(network, runtime, checkpoint)
    setattr(owner, STATE, asked)


def optimise(model: nn.Module, runtime: Runtime) -> nn.Module:
    """Apply what a runtime asks of PyTorch to a network in testing, in place: fusing, layout, precision, compiling.

    With ``channels_last`` all that is laid out for oneDNN is computed by it, matrix products in fp32 too.

    Raises:
        InputError: If the network's class is not known, or there is no compiler.
    """
    network = network_in(model)
    device = next((weight.device for weight in network.parameters()), torch.device("cpu"))
    precision = usable_precision(runtime.precision, device)
    lowered, layout = precision != "fp32", runtime.memory_format == "channels_last"
    if runtime.fuse:
        fuse_norms(network)
    if layout:
        for part in network.children():
            lay_out(part)
        if lowered:
            attend_at_once(network)
        elif not runtime.compile:  # the compiler has its own ways
            multiply_by_onednn(network, device)
    if runtime.compile:
        _check_compiler(device)
        for graph in graphs_of(network).values():
            graph.put(torch.compile(graph.call))
    if lowered:
        lower_precision(network, DTYPES[precision], device)
    if lowered or layout:
        pool_regions(network, DTYPES.get(precision, torch.float32), device)
    return model


def _check_compiler(device: torch.device) -> None:
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise InputError(
            f"runtime.compile needs a C++ compiler, and {compiler} is not here: install it or leave it out"
        )
