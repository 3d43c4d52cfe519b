"""Convolutions and matrix products in 16 bits, what decides in 32."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from .graphs import exact_modules, graphs_of

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.MultiheadAttention)
LAST = ("fc_cls", "fc_reg", "cls_score", "bbox_pred", "object_pred", "final_layer", "heatmaps", "logits")
"""Names of the layers whose outputs are compared with each other and with thresholds: scores, places, heat. They cost
next to nothing, and stay in float32: rounded to the 8 bits of bf16, neighbours would tie."""


def usable_precision(precision: str, device: torch.device) -> str:
    """The precision that the device has: what is asked for, or fp32 and a warning, once a process.

    bf16 on a processor needs AVX512-BF16 or AMX: without them PyTorch emulates it, more slowly than fp32. fp16 is for
    GPUs.
    """
    if precision == "fp32" or device.type != "cpu":
        return precision
    if precision == "bf16" and _multiplies_bf16():
        return precision
    _warn(precision)
    return "fp32"


@lru_cache
def _multiplies_bf16() -> bool:
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    named = ("avx512_bf16", "amx_bf16", "amx_tile", "bf16")
    found = any(known.get(name) for name in named)
    # Before PyTorch 2.10 or so there is a function for each.
    tests = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile"))
    return found or any(test() for test in tests)


@lru_cache
def _warn(precision: str) -> None:
    told = f"this processor computes {precision} no faster than fp32: the networks run in fp32"
    print_log(told, "current", level=30)


def lower_precision(network: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
    """Let the graphs of a network compute in 16 bits, in place, but for their last layers and the light ones.

    What leaves them for anything but another graph is of float32 again. Large weights are stored in 16 bits, so that
    autocast does not round them anew in each call.

    Args:
        network: In testing.
        dtype: Of 16 bits.
        device: Where it is.
    """
    for graph in graphs_of(network).values():
        if not graph.light:
            _lower_weights(graph.owner, dtype, device)
            graph.put(_lowered(graph.call, dtype, device, widen=not graph.inner))
        else:
            graph.put(exactly(graph.call, device))
    for _, module in exact_modules(network):
        module.forward = exactly(module.forward, device)


def _lower_weights(module: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
    for name, layer in module.named_modules():
        if name.rpartition(".")[2] in LAST:
            layer.forward = exactly(layer.forward, device)
        elif isinstance(layer, LAYERS):
            for weight in layer.parameters(recurse=False):
                weight.data = weight.data.to(dtype)


def _lowered(call: Callable[..., Any], dtype: torch.dtype, device: torch.device, *, widen: bool) -> Callable[..., Any]:
    def lowered(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device.type, dtype=dtype):
            outputs = call(*args, **kwargs)
        return tree_map_only(Tensor, widened, outputs) if widen else outputs

    return lowered


def exactly(call: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    """The same call in float32, whatever it is given."""

    def exact(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device.type, enabled=False):
            return call(*tree_map_only(Tensor, widened, args), **tree_map_only(Tensor, widened, kwargs))

    return exact


def widened(tensor: Tensor) -> Tensor:
    """In float32, where it has fewer bits."""
    return tensor.float() if tensor.dtype in DTYPES.values() else tensor
