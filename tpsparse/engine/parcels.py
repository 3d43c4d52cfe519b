"""Batches from loader workers in one piece of shared memory.

PyTorch hands over every tensor by a file descriptor of its own, for which the process that trains asks the worker with
an exchange of messages. A batch of detection samples has a hundred small tensors, and fetching them takes longer than
making them. Here a worker writes the whole batch into one block of memory, in pickle's format with the data beside it
(PEP 574), and one descriptor is handed over; tensors and arrays are opened in place, without a copy.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

ALIGNMENT = 64
"""Bytes; where data begin, as PyTorch's own allocator has it."""


class Parcels:
    """A data loader's ``collate_fn`` whose batches travel in one piece where a worker makes them.

    Args:
        collate: Makes a batch of samples.
    """

    def __init__(self, collate: Callable[[Sequence[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, samples: Sequence[Any]) -> Any:
        """The batch, or in a worker what becomes the batch when it arrives."""
        batch = self.collate(samples)
        return batch if get_worker_info() is None else Parcel(batch)


class Parcel:
    """Something that is itself again once it has been pickled and read back.

    Args:
        content: What pickle takes.
    """

    def __init__(self, content: Any) -> None:
        stream, buffers = io.BytesIO(), []  # type: io.BytesIO, list[pickle.PickleBuffer]
        _Packer(stream, protocol=5, buffer_callback=buffers.append).dump(content)
        parts = [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]
        self.sizes = [part.nbytes for part in parts]
        starts, total = _places(self.sizes)
        self.memory = torch.empty(total, dtype=torch.uint8)
        room = self.memory.numpy()
        for start, part in zip(starts, parts):
            room[start : start + part.nbytes] = np.frombuffer(part, dtype=np.uint8)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open_parcel, (self.memory, self.sizes)


class _Packer(pickle.Pickler):
    """Puts tensors in the form of arrays, whose data pickle leaves beside the stream."""

    def reducer_override(self, obj: Any) -> Any:
        plain = type(obj) is Tensor and obj.device.type == "cpu" and obj.layout == torch.strided
        if not plain or obj.requires_grad or obj.is_neg() or obj.dtype not in _IN_NUMPY:
            return NotImplemented
        return torch.from_numpy, (obj.contiguous().numpy(),)


_IN_NUMPY = frozenset(
    [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
    + [torch.float16, torch.float32, torch.float64]
)


def open_parcel(memory: Tensor, sizes: Sequence[int]) -> Any:
    """The content of a parcel; its tensors and arrays lie in ``memory``, (total,) uint8, and keep it alive."""
    view = memory.numpy().data
    starts, _ = _places(sizes)
    stream, *buffers = (view[start : start + size] for start, size in zip(starts, sizes))
    return pickle.loads(stream, buffers=buffers)


def _places(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where parts of these sizes begin, and their size in all."""
    ends = np.cumsum([-(-size // ALIGNMENT) * ALIGNMENT for size in sizes]).tolist()
    return [0, *ends[:-1]], ends[-1]
