"""Batch norms folded into the convolutions before them, and convolutions laid out for the processor.

mmcv's ``fuse_conv_bn`` folds 2D convolutions alone, so the walk is this module's and the arithmetic PyTorch's
(``torch.nn.utils.fusion``): w' = w * g / sqrt(v + e), b' = (b - m) * g / sqrt(v + e) + s, for a norm with mean m,
variance v, scale g and shift s.
"""

from __future__ import annotations

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.fusion import fuse_conv_bn_weights

LAYOUTS: dict[type[_ConvNd], torch.memory_format] = {nn.Conv2d: torch.channels_last, nn.Conv3d: torch.channels_last_3d}


def fuse_norms(module: nn.Module) -> int:
    """Fold, in place, each batch norm into the convolution that stands right before it; how many were folded.

    A convolution and a norm belong together where one follows the other among the children of a module, which is
    OpenMMLab's own rule (``mmcv.cnn.fuse_conv_bn``), and in mmcv's ``ConvModule`` where its order says so. The networks
    must be in testing: a norm's running statistics are its numbers then.
    """
    folded = 0
    before: _ConvNd | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, _ConvNd) and not child.transposed:
            before = child
        elif isinstance(child, _BatchNorm):
            if before is not None and _fit(module, before, child):
                _fold(before, child)
                # A module of no effect, so that whoever calls the norm by its name finds it.
                setattr(module, name, nn.Identity())
                folded += 1
            before = None
        else:
            folded += fuse_norms(child)
            before = None
    return folded


def lay_out(module: nn.Module) -> bool:
    """Keep the channels of a pixel together in all convolutions, in place, where most of the weights are of those.

    The convolutions then give their outputs laid out likewise. A transformer, whose only convolution cuts the input
    into patches, is left as it is.

    Returns:
        Whether it was done.
    """
    convolutions = [layer for layer in module.modules() if isinstance(layer, tuple(LAYOUTS))]
    share = sum(_weight(layer).numel() for layer in convolutions)
    if 2 * share <= sum(weight.numel() for weight in module.parameters()):
        return False
    for layer in convolutions:
        layout = next(layout for kind, layout in LAYOUTS.items() if isinstance(layer, kind))
        weight = _weight(layer)
        weight.data = weight.data.contiguous(memory_format=layout)
    return True


def _weight(layer: nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def _fit(parent: nn.Module, convolution: _ConvNd, norm: _BatchNorm) -> bool:
    if isinstance(parent, ConvModule) and parent.order.index("norm") != parent.order.index("conv") + 1:
        return False
    return norm.running_mean is not None and norm.num_features == convolution.out_channels


def _fold(convolution: _ConvNd, norm: _BatchNorm) -> None:
    if norm.training:
        raise ValueError("a batch norm in training cannot be folded: call eval() first")
    assert norm.running_mean is not None and norm.running_var is not None  # they fit
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
