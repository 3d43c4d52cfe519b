"""A network put into the state that a runtime asks for."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from logging import WARNING
from typing import Any, Protocol

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from ..errors import InputError, first_line
from .fastest import fastest_engine
from .fusing import fuse_norms, lay_out
from .graphs import device_of, graphs_of, network_in
from .precision import DTYPES, lower_precision, usable_precision
from .products import attend_at_once, multiply_by_onednn
from .regions import pool_regions
from .settings import Runtime

STATE = "_runtime"
"""Attribute of a network: what it has been asked to run with, and what that came to."""


class Network(Protocol):
    """What is run: a :class:`tpsparse.parsing.network.TrainedNetwork`."""

    config: Config
    model: Any
    pipeline: Any

    def predict(self, items: list[dict[str, Any]]) -> list[Any]:
        """Run prepared items as one batch."""


def run_with(network: Network, runtime: Runtime, *, checkpoint: str) -> Runtime:
    """Let a trained network run as a runtime says, from now on.

    Its weights are changed in place, so a network has one runtime; to ask for the same again does nothing.

    Args:
        network: On its device, in testing.
        runtime: What to do.
        checkpoint: File or URL of the weights; what an engine needs is kept beside it.

    Returns:
        How it does run: in a precision that the device has, and on an engine that is here where the fastest was asked
        for.

    Raises:
        InputError: If the network, the machine or the packages at hand do not allow it.
        ValueError: If it has another runtime already.
    """
    owner = network_in(network.model)
    if not hasattr(owner, STATE):
        setattr(owner, STATE, (runtime.identity(), _prepare(network, runtime, checkpoint)))
    given, found = getattr(owner, STATE)
    if given != runtime.identity():
        asked = runtime.identity()
        raise ValueError(f"{network.config.filename} runs with {given} already: load the network again for {asked}")
    return replace(found, batch_frames=runtime.batch_frames, batch_persons=runtime.batch_persons)


def _prepare(network: Network, runtime: Runtime, checkpoint: str) -> Runtime:
    found = replace(runtime, precision=usable_precision(runtime.precision, device_of(network.model)))
    if found.backend == "fastest":
        return run_fastest(network, found, checkpoint)
    if found.backend == "torch":
        optimise(network.model, found)
    else:
        from .engines import run_on_engine

        run_on_engine(network, found, checkpoint)
    return found


def run_fastest(network: Network, runtime: Runtime, checkpoint: str) -> Runtime:
    """Run a network on the engine that was measured to be its fastest; on PyTorch where that engine fails, and say so.

    Args:
        network: On its device.
        runtime: Whose precision the device has.
        checkpoint: File or URL of its weights.

    Returns:
        The runtime with the engine.
    """
    model = network_in(network.model)
    found = replace(runtime, backend=fastest_engine(model, runtime.precision, device_of(model)))
    if found.backend != "torch":
        from .engines import run_on_engine

        try:
            run_on_engine(network, found, checkpoint)
            return found
        except Exception as error:  # what exporters and engines raise shares no base class, and PyTorch can do it
            told = f"{network.config.filename} runs on PyTorch, which is slower than {found.backend}"
            print_log(f"{told}: {first_line(error)}", "current", level=WARNING)
    found = replace(found, backend="torch")
    optimise(network.model, found)
    return found


def optimise(model: nn.Module, runtime: Runtime) -> nn.Module:
    """Apply what a runtime asks of PyTorch to a network in testing, in place: fusing, layout, precision, compiling.

    With ``channels_last`` all that is laid out for oneDNN is computed by it, matrix products in fp32 too.

    Raises:
        InputError: If the network's class is not known, or there is no compiler.
    """
    network = network_in(model)
    device = device_of(network)
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
