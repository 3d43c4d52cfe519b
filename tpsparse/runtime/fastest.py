"""The engine that runs a network fastest on a processor, as measured."""

from __future__ import annotations

import torch
from torch import nn

ENGINES: dict[str, dict[str, str]] = {
    "bf16": {"HRNet": "openvino", "TimeSformer": "openvino"},
    "fp32": {"HRNet": "openvino", "TimeSformer": "openvino"},
}
"""Precision, and class of the backbone, to the engine that beats PyTorch by more than a tenth at full size
(``benchmarks/backends.py``, docs/benchmarks.md)."""


def fastest_engine(network: nn.Module, precision: str, device: torch.device) -> str:
    """``torch``, or the engine that was measured to be faster for networks with this backbone.

    Args:
        network: With a ``backbone``, or without.
        precision: That the device has.
        device: Where it is; nothing was measured on GPUs.
    """
    if device.type != "cpu":
        return "torch"
    backbone = type(getattr(network, "backbone", None)).__name__
    return ENGINES.get(precision, {}).get(backbone, "torch")
