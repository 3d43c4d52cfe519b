"""The engine that runs a network fastest on a processor, as measured."""

from __future__ import annotations

import torch
from torch import nn

ENGINES: dict[str, dict[str, str]] = {
    "bf16": {"HRNet": "openvino", "TimeSformer": "openvino", "YOLOF": "openvino", "Recognizer2D": "openvino"},
    "fp32": {"HRNet": "openvino", "TimeSformer": "openvino", "YOLOF": "openvino", "Recognizer2D": "onnx"},
}
"""Precision, and class of a network or of its backbone, to the engine that beats PyTorch by more than a tenth at full
size (``benchmarks/backends.py``, docs/benchmarks.md). Others were not faster, or were not measured."""


def fastest_engine(network: nn.Module, precision: str, device: torch.device) -> str:
    """``torch``, or the engine that was measured to be faster for networks of this kind.

    Args:
        network: With a ``backbone``, or without.
        precision: That the device has.
        device: Where it is; nothing was measured on GPUs.
    """
    if device.type != "cpu":
        return "torch"
    kinds = [each.__name__ for part in (getattr(network, "backbone", None), network) for each in type(part).__mro__]
    engines = ENGINES.get(precision, {})
    return next((engines[kind] for kind in kinds if kind in engines), "torch")
