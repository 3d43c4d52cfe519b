"""ONNX Runtime: on the processor, or on a GPU with the package ``onnxruntime-gpu``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from ...errors import InputError
from .packages import needed

SUFFIX = ".onnx"
RUNTIME = "onnxruntime"
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def check(precision: str, device: torch.device) -> None:
    """See :class:`.Backend`."""
    runtime = needed(RUNTIME, "runtime.backend onnx")
    if precision != "fp32":
        raise InputError(
            f"runtime.precision is {precision}, and ONNX Runtime runs the graphs in fp32: set it to fp32, or "
            "runtime.backend to openvino or torch"
        )
    provider = PROVIDERS.get(device.type)
    if provider not in runtime.get_available_providers():
        remedy = "install onnxruntime-gpu in place of onnxruntime" if device.type == "cuda" else "use a processor"
        raise InputError(f"ONNX Runtime has no provider for {device.type}: {remedy}, or set runtime.backend to torch")


def convert(program: Path, folder: Path, name: str) -> list[Path]:
    """See :class:`.Backend`."""
    path = folder / f"{name}{SUFFIX}"
    shutil.copyfile(program, path)
    return [path]


def open_engine(path: Path, *, precision: str, device: torch.device, threads: int) -> OnnxEngine:
    """See :class:`.Backend`."""
    return OnnxEngine(path, device=device, threads=threads)


class OnnxEngine:
    """One graph in ONNX Runtime.

    Args:
        path: Its file.
        device: Where its tensors are.
        threads: Of the processor.
    """

    def __init__(self, path: Path, *, device: torch.device, threads: int) -> None:
        runtime = needed(RUNTIME, "runtime.backend onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.device = device
        self.session = runtime.InferenceSession(str(path), options, providers=[self._provider()])
        self.inputs = [each.name for each in self.session.get_inputs()]
        self.outputs = [each.name for each in self.session.get_outputs()]

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See :class:`.Engine`."""
        # A tensor that the graph does not read may be missing among its inputs.
        named = {name: tensor for name, tensor in zip(names(len(inputs)), inputs) if name in self.inputs}
        if self.device.type != "cpu":
            return self._on_gpu(named)
        # Neither side is copied: arrays and tensors share memory.
        found = self.session.run(None, {name: tensor.numpy() for name, tensor in named.items()})
        return [torch.from_numpy(array) for array in found]

    def _on_gpu(self, named: dict[str, Tensor]) -> list[Tensor]:
        binding, index = self.session.io_binding(), self.device.index or 0
        for name, tensor in named.items():
            kind = np.dtype(str(tensor.dtype).removeprefix("torch.")).type
            binding.bind_input(name, "cuda", index, kind, tuple(tensor.shape), tensor.data_ptr())
        for name in self.outputs:
            binding.bind_output(name, "cuda", index)
        self.session.run_with_iobinding(binding)
        return [from_dlpack(value._ortvalue.to_dlpack()) for value in binding.get_outputs()]

    def _provider(self) -> Any:
        if self.device.type == "cpu":
            return PROVIDERS["cpu"]
        # On PyTorch's own stream, behind what has made the inputs.
        stream = torch.cuda.current_stream(self.device).cuda_stream
        return PROVIDERS["cuda"], {"device_id": self.device.index or 0, "user_compute_stream": str(stream)}


def names(count: int, kind: str = "input") -> list[str]:
    """What the tensors of an exported graph are called, in order."""
    return [f"{kind}_{number}" for number in range(count)]
