"""Engines other than PyTorch: each loads one exported graph and runs it on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from . import onnx, openvino


class Engine(Protocol):
    """One graph, loaded."""

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What comes out for contiguous tensors, on their device."""


class Backend(Protocol):
    """A module of this package."""

    SUFFIX: str
    """Of the file that :func:`open_engine` takes."""

    def check(self, precision: str, device: torch.device) -> None:
        """Refuse what the backend cannot do here.

        Raises:
            InputError: If its package is not installed, or it does not know the precision or the device.
        """

    def convert(self, program: Path, folder: Path, name: str) -> list[Path]:
        """Turn an ONNX file into the backend's own, of this name without suffix; the first is the one to open."""

    def open_engine(self, path: Path, *, precision: str, device: torch.device, threads: int) -> Engine:
        """Load a graph."""


BACKENDS: dict[str, Backend] = {"onnx": onnx, "openvino": openvino}  # type: ignore[dict-item]
