"""OpenVINO, on the processor; in bf16 where the processor has it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import InputError
from .onnx import names
from .packages import needed

SUFFIX = ".xml"
HINTS = {"fp32": "f32", "bf16": "bf16"}


def check(precision: str, device: torch.device) -> None:
    """See :class:`.Backend`."""
    needed("openvino", "runtime.backend openvino")
    if precision not in HINTS:
        raise InputError(f"runtime.precision is {precision}, and OpenVINO has {', '.join(HINTS)} here: set one of them")
    if device.type != "cpu":
        raise InputError(
            f"OpenVINO runs on processors, and the networks on {device.type}: set runtime.backend to torch"
        )


def convert(program: Path, folder: Path, name: str) -> list[Path]:
    """See :class:`.Backend`."""
    openvino = needed("openvino", "exporting to OpenVINO")
    path = folder / f"{name}{SUFFIX}"
    # Not by convert_model, which takes seconds a file, as it tries to report its use; nor in 16 bits, the default.
    openvino.save_model(_core(openvino).read_model(program), path, compress_to_fp16=False)
    return [path, path.with_suffix(".bin")]


def open_engine(path: Path, *, precision: str, device: torch.device, threads: int) -> OpenVINOEngine:
    """See :class:`.Backend`."""
    return OpenVINOEngine(path, precision=precision, threads=threads)


@lru_cache
def _core(openvino: Any) -> Any:
    """The one core of the process, for its whole life.

    Each core gives the thread that first compiles a stack for signals and takes it away at its end. Of several cores
    the last to go leaves the thread with the stack of one that has gone before, and the next signal, such as that of
    Ctrl-C or of a child's end, kills the process.
    """
    return openvino.Core()


class OpenVINOEngine:
    """One graph in OpenVINO.

    Args:
        path: Its ``.xml``, with the ``.bin`` beside it.
        precision: ``fp32`` or ``bf16``.
        threads: Of the processor.
    """

    def __init__(self, path: Path, *, precision: str, threads: int) -> None:
        self.openvino = needed("openvino", "runtime.backend openvino")
        properties = {
            "PERFORMANCE_HINT": "LATENCY",  # one call at a time
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
        }
        compiled = _core(self.openvino).compile_model(path, "CPU", properties)
        self.inputs = {port.get_any_name(): place for place, port in enumerate(compiled.inputs)}
        self.request = compiled.create_infer_request()

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See :class:`.Engine`."""
        given = {
            self.inputs[name]: self.openvino.Tensor(tensor.numpy(), shared_memory=True)
            for name, tensor in zip(names(len(inputs)), inputs)
            if name in self.inputs
        }
        # Outputs are copied: the request uses their memory again in the next call.
        found = self.request.infer(given, share_inputs=True, share_outputs=False)
        return [torch.from_numpy(array) for array in found.to_tuple()]
