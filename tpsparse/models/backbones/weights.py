"""Weights of a backbone from whatever file has them: published ones, or those of a whole trained network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import Tensor

from ...errors import InputError

PREFIXES = ("", "backbone.", "base_model.", "module.", "module.backbone.", "module.base_model.")
"""What stands before a backbone's names: nothing in published files, in others who holds it in training."""
COUNTER = "num_batches_tracked"
"""Of batch normalization, which files before PyTorch 0.4.1 lack and testing does not need."""
SHOWN = 3
_CONVOLUTION_AXES = 4


def read_weights(source: str) -> dict[str, Any]:
    """The content of a file, a URL or a name such as ``torchvision://resnet50``; it cannot run code.

    Raises:
        InputError: If it is not there or no checkpoint.
    """
    try:
        content = CheckpointLoader.load_checkpoint(source, map_location="cpu")
    except OSError as error:  # urllib's errors too
        told = f"{source} cannot be fetched ({error})"
        raise InputError(f"{told}: fetch the file otherwise and name it in place of the URL") from error
    if not isinstance(content, dict):
        raise InputError(f"{source} holds no weights: give a checkpoint or another URL")
    return content


def named_weights(content: Mapping[str, Any], names: Iterable[str]) -> dict[str, Tensor]:
    """The weights of a backbone under its own names, whichever prefix they have in a checkpoint.

    Older published files have the vectors of batch normalization as (1, C), the form that they had in Caffe: these
    become (C,).

    Args:
        content: A checkpoint: names to tensors, or such a table under ``state_dict``.
        names: The backbone's names, to tell the prefix by.

    Returns:
        All that has the prefix, such as the last linear layer of a published file.
    """
    stored = content.get("state_dict", content)
    weights = {name: value for name, value in stored.items() if isinstance(value, Tensor)}
    wanted = list(names)
    prefix = max(PREFIXES, key=lambda prefix: sum(prefix + name in weights for name in wanted))
    return {
        name.removeprefix(prefix): value[0] if "bn" in name and value.ndim == 2 and len(value) == 1 else value
        for name, value in weights.items()
        if name.startswith(prefix)
    }


def fitting_weights(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Those of the weights that a backbone has, after a check that they are of this backbone and no other.

    Args:
        found: As :func:`named_weights` gives them.
        expected: The backbone's own, as ``state_dict`` gives them.
        source: File or URL, for the message.

    Raises:
        InputError: If weights are missing, of another shape, or of convolutions that the backbone does not have. Other
            layers, such as a classifier's, are left out.
    """
    lacking = {
        name
        for name, value in expected.items()
        if not name.endswith(COUNTER) and (name not in found or found[name].shape != value.shape)
    }
    foreign = {name for name, value in found.items() if name not in expected and value.ndim == _CONVOLUTION_AXES}
    if lacking or foreign:
        shown = ", ".join(sorted(lacking | foreign)[:SHOWN])
        raise InputError(
            f"{source} is of another network ({len(lacking)} of {len(expected)} weights are missing or of another "
            f"shape, {len(foreign)} are of other layers, among them {shown}): give weights of this backbone"
        )
    return {name: found[name] for name in expected if name in found}
