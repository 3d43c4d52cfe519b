"""YOLOF's weights as its authors publish them, under the names of mmdet's network.

The authors' releases (github.com/chensnathan/YOLOF on Detectron2, github.com/megvii-model/YOLOF on cvpods) know YOLOF
with ResNet-101, which mmdet's model zoo does not. The networks are the same but for two things: their convolutions in
front of a batch norm have a bias, and their anchors lie outside the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

CLASSES = "cls_score"
"""The layer whose outputs are of one class each, for every anchor."""
NUM_CLASSES = 80
"""COCO's, persons first."""
_NORM = r"(weight|bias|running_mean|running_var|num_batches_tracked)"
# What a name of theirs, whole, becomes; a convolution's bias in front of a norm is told by the name of its norm's mean.
_RULES: tuple[tuple[str, str], ...] = (
    (r"backbone\.stem\.conv1\.weight", "backbone.conv1.weight"),
    (rf"backbone\.stem\.conv1\.norm\.{_NORM}", r"backbone.bn1.\1"),
    (r"backbone\.res{stage}\.(\d+)\.shortcut\.weight", r"backbone.layer{layer}.\1.downsample.0.weight"),
    (rf"backbone\.res{{stage}}\.(\d+)\.shortcut\.norm\.{_NORM}", r"backbone.layer{layer}.\1.downsample.1.\2"),
    (r"backbone\.res{stage}\.(\d+)\.conv(\d)\.weight", r"backbone.layer{layer}.\1.conv\2.weight"),
    (rf"backbone\.res{{stage}}\.(\d+)\.conv(\d)\.norm\.{_NORM}", r"backbone.layer{layer}.\1.bn\2.\3"),
    (r"encoder\.(lateral|fpn)_conv\.(weight|bias)", r"neck.\1_conv.\2"),
    (rf"encoder\.(lateral|fpn)_norm\.{_NORM}", r"neck.\1_norm.\2"),
    (
        r"encoder\.dilated_encoder_blocks\.(\d+)\.conv(\d)\.0\.(weight|bias)",
        r"neck.dilated_encoder_blocks.\1.conv\2.conv.\3",
    ),
    (rf"encoder\.dilated_encoder_blocks\.(\d+)\.conv(\d)\.1\.{_NORM}", r"neck.dilated_encoder_blocks.\1.conv\2.bn.\3"),
    (r"decoder\.(cls_score|bbox_pred|object_pred)\.(weight|bias)", r"bbox_head.\1.\2"),
)
_SUBNET = re.compile(r"decoder\.(cls|bbox)_subnet\.(\d+)\.(\w+)")
_OUTSIDE = ("pixel_mean", "pixel_std", "anchor_generator.")
"""Beginnings of names of what is no weight of the network."""


def from_published(weights: Mapping[str, Tensor], classes: Sequence[int] | None = None) -> dict[str, Tensor]:
    """The weights under mmdet's names.

    Args:
        weights: By the authors' names.
        classes: Ids of the COCO classes to keep, as ``(0,)`` for a detector of persons; all if None. If it is empty, as
            for a detector of other things, the layer that tells classes is left out.

    Raises:
        ValueError: If a name is not one of YOLOF's, or its convolutions do not stand before norms.
    """
    named = {_renamed(name): value for name, value in weights.items() if not name.startswith(_OUTSIDE)}
    found = {name: value for name, value in named.items() if not _is_bias_before_norm(name)}
    for name in named.keys() - found.keys():
        mean = _norm_of(name, ".running_mean")
        if mean not in named:
            raise ValueError(f"{name} stands before no norm: these are not YOLOF's weights")
        # A shift before the norm is one of the mean that the norm takes away.
        found[mean] = named[mean] - named[name]
    for name in [name for name in found if f".{CLASSES}." in name]:
        kept = _of_classes(found.pop(name), classes)
        if len(kept):
            found[name] = kept
    return found


def _of_classes(values: Tensor, classes: Sequence[int] | None) -> Tensor:
    """Rows (anchors * C, ...) of some classes: (anchors * len(classes), ...)."""
    if classes is None:
        return values
    by_anchor = values.reshape(-1, NUM_CLASSES, *values.shape[1:])
    return by_anchor[:, torch.tensor(list(classes), dtype=torch.int64)].flatten(0, 1)


def _renamed(name: str) -> str:
    subnet = _SUBNET.fullmatch(name)
    if subnet is not None:
        # A convolution, its norm and its activation are three in a row.
        kind, place, end = subnet[1], int(subnet[2]), subnet[3]
        return f"bbox_head.{kind}_subnet.{place // 3}.{('conv', 'bn')[place % 3]}.{end}"
    for stage in range(2, 6):
        for theirs, ours in _RULES:
            pattern = theirs.replace("{stage}", str(stage))
            if re.fullmatch(pattern, name):
                return re.sub(pattern, ours.replace("{layer}", str(stage - 1)), name)
    raise ValueError(f"{name} is no weight of YOLOF")


def _is_bias_before_norm(name: str) -> bool:
    return name.endswith(".conv.bias")


def _norm_of(name: str, end: str) -> str:
    return name.removesuffix(".conv.bias") + ".bn" + end
