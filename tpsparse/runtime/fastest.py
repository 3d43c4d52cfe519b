"""The engine that runs a network fastest on a processor, as measured; PyTorch where that engine is not to be had."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from mmengine.logging import print_log

from ..errors import InputError
from .graphs import network_in
from .precision import usable_precision
from .settings import Runtime

if TYPE_CHECKING:
    from .networks import Network

ENGINES: dict[str, dict[str, str]] = {
    "bf16": {"HRNet": "openvino", "TimeSformer": "openvino"},
    "fp32": {"HRNet": "openvino", "TimeSformer": "openvino"},
}
"""Precision, and class of the backbone, to the engine that beats PyTorch by more than a tenth at full size
(``benchmarks/backends.py``, docs/benchmarks.md)."""
PACKAGES = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("onnx", "onnxscript", "openvino")}
"""Without which an engine's files can be neither made nor run."""


def choose_engine(network: Network, runtime: Runtime, checkpoint: str) -> Runtime:
    """A runtime with the engine that is fastest for a network in place of ``backend="fastest"``.

    It is PyTorch where nothing else was found to be faster, on a GPU, and, with a word in the log, where packages are
    missing or the engine's files cannot be made.

    Args:
        network: On its device.
        runtime: That asks for it.
        checkpoint: File or URL of its weights, beside which the engine's files are made.
    """
    backend = _fastest(network, runtime.precision)
    if backend != "torch" and not _can_use(backend, network, checkpoint):
        backend = "torch"
    return replace(runtime, backend=backend)


def _fastest(network: Network, asked: str) -> str:
    model = network_in(network.model)
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    if device.type != "cpu":
        return "torch"
    backbone = type(getattr(model, "backbone", None)).__name__
    return ENGINES.get(usable_precision(asked, device), {}).get(backbone, "torch")


def _can_use(backend: str, network: Network, checkpoint: str) -> bool:
    missing = [package for package in PACKAGES[backend] if importlib.util.find_spec(package) is None]
    if missing:
        _warn(
            f"{backend} would run some networks faster and needs {', '.join(missing)}", 'pip install "tpsparse[export]"'
        )
        return False
    from .engines import exported_graphs

    try:
        exported_graphs(network, backend, checkpoint)
    except InputError as error:
        _warn(f"{network.config.filename} runs on PyTorch, not on {backend}", str(error))
        return False
    return True


@lru_cache
def _warn(told: str, remedy: str) -> None:
    """Once a process."""
    print_log(f"{told}: {remedy}", "current", level=30)
