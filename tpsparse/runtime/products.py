"""Matrix products by oneDNN, and attention in one operation.

PyTorch gives products in 16 bits to oneDNN and those in fp32 to Intel's MKL, which on processors of other makers leaves
AVX512 unused: half of oneDNN's speed on an AMD EPYC with Zen 5 cores (``docs/benchmarks.md``). oneDNN's operator is the
one that ``torch.compile`` calls; PyTorch offers it under no other name.

Shapes: N sequences of L vectors of E channels, H heads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import mmcv.cnn
import torch
from torch import Tensor, nn
from torch.nn import functional

LINEAR = (nn.Linear, mmcv.cnn.Linear)
"""mmcv's differs for empty inputs of PyTorch before 1.5."""
Product = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def multiply_by_onednn(network: nn.Module, device: torch.device) -> bool:
    """Let the linear layers of a network, those of its attention included, compute so in fp32, in place.

    Returns:
        Whether the device and this build of PyTorch know how; nothing is changed otherwise.
    """
    known = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    if device.type != "cpu" or not known:
        return False
    for layer in network.modules():
        if type(layer) in LINEAR:
            _replace(layer, partial(_of_layer, layer))
    attend_at_once(network, linear)
    return True


def attend_at_once(network: nn.Module, product: Product = functional.linear) -> None:
    """Let self-attention without masks be one operation, in place, where PyTorch's layer takes several to give the
    weights of the attention too.

    Those who ask for these get None: no network here reads them.

    Args:
        network: In testing.
        product: What computes linear layers.
    """
    for layer in network.modules():
        if isinstance(layer, nn.MultiheadAttention) and _is_plain(layer):
            _replace(layer, partial(_attend, layer, layer.forward, product))


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``functional.linear``: (..., D) of inputs (..., C), weights (D, C) and shifts (D,)."""
    known = input.dtype == weight.dtype == torch.float32 and not torch.is_grad_enabled()
    if not known or not input.numel():
        return functional.linear(input, weight, bias)
    rows = input.reshape(-1, input.shape[-1])
    found = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return found.view(*input.shape[:-1], len(weight))


def _of_layer(layer: nn.Module, input: Tensor) -> Tensor:
    return linear(input, cast(Tensor, layer.weight), cast("Tensor | None", layer.bias))


def _is_plain(layer: nn.MultiheadAttention) -> bool:
    return layer._qkv_same_embed_dim and layer.bias_k is None and not layer.add_zero_attn and not layer.training


def _attend(
    layer: nn.MultiheadAttention,
    own: Callable[..., Any],
    product: Product,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention (L, N, E), or (N, L, E) where the layer has the batch first, and None."""
    masked = any(options.get(name) is not None for name in ("key_padding_mask", "attn_mask"))
    if query is not key or key is not value or query.ndim != 3 or masked:
        return own(query, key, value, **options)
    joint = product(query, layer.in_proj_weight, layer.in_proj_bias)
    joint = joint.unflatten(-1, (3, layer.num_heads, -1))
    # To three times (N, H, L, E / H).
    heads = joint.permute(2, 0, 3, 1, 4) if layer.batch_first else joint.permute(2, 1, 3, 0, 4)
    found = functional.scaled_dot_product_attention(*heads)
    found = found.permute(0, 2, 1, 3) if layer.batch_first else found.permute(2, 0, 1, 3)
    return product(found.flatten(2), layer.out_proj.weight, layer.out_proj.bias), None


def _replace(layer: nn.Module, call: Callable[..., Any]) -> None:
    setattr(layer, "forward", call)  # noqa: B010 (mypy takes no assignment to a method)
