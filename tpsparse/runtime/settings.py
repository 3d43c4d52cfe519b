"""The runtime block of a system config: how its networks are run, the same words for every stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import InputError

PRECISIONS = ("fp32", "bf16", "fp16")
MEMORY_FORMATS = ("contiguous", "channels_last")
BACKENDS = ("torch", "onnx", "openvino", "fastest")


@dataclass(frozen=True)
class Runtime:
    """How a trained network is run.

    Args:
        precision: ``fp32`` is exact; in ``bf16`` and ``fp16`` convolutions and matrix products are of 16 bits, what
            decides (suppression, boxes, probabilities) stays in 32.
        memory_format: ``channels_last`` keeps the channels of a pixel together.
        fuse: Fold each batch norm into the convolution before it.
        compile: Let ``torch.compile`` translate the networks, which takes minutes once.
        backend: What runs the graphs of a network: ``torch``, ``onnx`` (ONNX Runtime), ``openvino``, or ``fastest``,
            the one of these that was measured to be so for the network, see :mod:`.fastest`.
        batch_frames: Frames in a batch.
        batch_persons: Persons in a batch, across frames.

    Raises:
        InputError: If a value is none of those named.
    """

    precision: str = "fp32"
    memory_format: str = "contiguous"
    fuse: bool = False
    compile: bool = False
    backend: str = "torch"
    batch_frames: int = 8
    batch_persons: int = 32

    def __post_init__(self) -> None:
        for name, known in (("precision", PRECISIONS), ("memory_format", MEMORY_FORMATS), ("backend", BACKENDS)):
            if getattr(self, name) not in known:
                raise _refused(name, getattr(self, name), f"one of {', '.join(known)}")
        for name in ("fuse", "compile"):
            if not isinstance(getattr(self, name), bool):
                raise _refused(name, getattr(self, name), "True or False")
        for name in ("batch_frames", "batch_persons"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise _refused(name, value, "a whole number from 1")
        if self.backend != "torch" and self.compile:
            raise InputError(f"runtime.compile is of PyTorch, and runtime.backend is {self.backend}: leave one out")

    @classmethod
    def of(cls, given: str | Mapping[str, Any] | Runtime) -> Runtime:
        """From a config's ``runtime``: the name of a preset, or values, with ``preset`` naming what they change.

        Raises:
            InputError: If a name or a value is not known.
        """
        return given if isinstance(given, Runtime) else PRESETS["exact"].changed(given)

    def changed(self, given: str | Mapping[str, Any]) -> Runtime:
        """The same with other values, or those of a preset and other values than its.

        Raises:
            InputError: If a name or a value is not known.
        """
        if not isinstance(given, (str, Mapping)):
            raise InputError(f"runtime is {given!r}: name one of {', '.join(PRESETS)}, or give values")
        values = dict(preset=given) if isinstance(given, str) else dict(given)
        preset = values.pop("preset", None)
        if preset is not None:
            if preset not in PRESETS:
                raise InputError(f"runtime {preset!r} is not known: name one of {', '.join(PRESETS)}, or give values")
            return PRESETS[preset].changed(values)
        known = [field.name for field in fields(self)]
        strange = [name for name in values if name not in known]
        if strange:
            raise InputError(f"runtime has no {', '.join(strange)}: its values are {', '.join(known)}")
        return replace(self, **values)

    def identity(self) -> dict[str, Any]:
        """What results follow from; how many items are in a batch changes the last digits only.

        Where a batch of prepared persons is another one, a part moves by a hundredth of a pixel at most.
        """
        return {field.name: getattr(self, field.name) for field in fields(self) if not field.name.startswith("batch_")}


def _refused(name: str, value: Any, wanted: str) -> InputError:
    return InputError(f"runtime.{name} is {value!r}: give {wanted}")


PRESETS = {
    "exact": Runtime(memory_format="channels_last", fuse=True),
    "fast": Runtime("bf16", "channels_last", fuse=True, backend="fastest", batch_persons=16),
}
"""Named runtimes, as measured (``docs/benchmarks.md``): ``exact``, the default, is what is fastest in 32 bits, and
differs from the plain networks in their last digits; ``fast`` is what is fastest on a processor with bf16."""
