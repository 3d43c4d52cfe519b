"""Graphs of a network run by another engine, from files that are made once and kept beside the checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.utils._pytree import tree_unflatten

from ..errors import InputError, UnwritableError
from ..structures.files import writing_told
from .backends import BACKENDS, Engine
from .export import INDEX, Exported, export, identity, read_exported
from .graphs import device_of, graphs_of, network_in
from .precision import DTYPES
from .regions import pool_regions
from .settings import Runtime
from .signatures import find_signatures, picked, tensors_in

if TYPE_CHECKING:
    from .networks import Network

SHOWN_DIGITS = 16
PARTIAL = ".partial"
ABANDONED = 24 * 3600
"""Seconds after which nobody works on a half-made folder any more."""


def run_on_engine(network: Network, runtime: Runtime, checkpoint: str) -> None:
    """Put the engine's graphs in the place of the network's own, whose weights are freed. What ``fuse`` and
    ``memory_format`` ask for, engines do by themselves. Nothing is changed unless all graphs can be run.

    Args:
        network: As it was loaded.
        runtime: Names the engine, and a precision that the device has.
        checkpoint: File or URL of the weights.

    Raises:
        InputError: If the engine's package is missing, it cannot run so, or the graphs cannot be exported or kept.
    """
    device = device_of(network.model)
    precision, backend = runtime.precision, BACKENDS[runtime.backend]
    backend.check(precision, device)
    graphs = graphs_of(network.model)
    found = exported_graphs(network, runtime.backend, checkpoint)
    threads = torch.get_num_threads()
    opened = {
        name: backend.open_engine(
            found[name].path, precision="fp32" if graph.light else precision, device=device, threads=threads
        )
        for name, graph in graphs.items()
    }
    for name, graph in graphs.items():
        graph.put(_on_engine(name, opened[name], found[name]))
        for weight in graph.owner.parameters():
            weight.data = weight.data.new_empty(0)
    pool_regions(network_in(network.model), DTYPES.get(precision, torch.float32), device)


def cache_folder(checkpoint: str, backend: str) -> Path:
    """Where the exported graphs of a checkpoint are kept: beside it; beside its downloaded file if it is a URL."""
    if "://" in checkpoint:
        checkpoint = str(Path(torch.hub.get_dir()) / "checkpoints" / checkpoint.rpartition("/")[2])
    return Path(f"{checkpoint}.{backend}")


def exported_graphs(network: Network, backend: str, checkpoint: str) -> dict[str, Exported]:
    """The graphs of a network from the cache of its checkpoint, in which they are made if they are not there.

    Each network has a folder in the cache, named by what it follows from, so that networks of one checkpoint and
    several test configs do not take turns in making them. A folder is moved into place whole: of several processes that
    make the same at once one wins, and the others use what it has made. Folders of weights that the checkpoint no
    longer has are removed.

    Raises:
        InputError: If they cannot be exported or written.
    """
    cache, wanted = cache_folder(checkpoint, backend), identity(network, backend)
    folder = cache / _short(wanted)
    found = read_exported(folder, wanted)
    if found is not None:
        return found
    print_log(f"exporting the networks of {network.config.filename} to {cache}, once for these weights", "current")
    signatures = find_signatures(network)
    in_onnx = dict(wanted, backend="onnx")
    there = read_exported(cache_folder(checkpoint, "onnx") / folder.name, in_onnx) or {}
    programs = {name: each.path for name, each in there.items()}
    partial = cache / f".{folder.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}{PARTIAL}"
    try:
        with writing_told(cache):
            _make_room(cache, wanted)
            export(network, signatures, partial, backend=backend, programs=programs)
            _move(partial, folder, wanted)
    except UnwritableError:
        raise
    except OSError as error:
        told = f"{cache} cannot be written ({error.strerror}): copy the checkpoint to a folder of yours"
        raise InputError(f"{told}, or set runtime.backend to torch") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    found = read_exported(folder, wanted)
    if found is None:
        raise InputError(f"{folder} does not hold what was just written: check the disk")
    return found


def _short(wanted: dict[str, Any]) -> str:
    return f"{wanted['network']}-{wanted['weights'][:SHOWN_DIGITS]}-{wanted['config'][:SHOWN_DIGITS]}"


def _move(partial: Path, folder: Path, wanted: dict[str, Any]) -> None:
    """Move a folder into place; where another process was faster, its folder stays."""
    while True:
        try:
            os.rename(partial, folder)
            return
        except OSError:
            if not folder.exists():
                raise
        if read_exported(folder, wanted) is not None:
            return
        # It is broken. Of several processes one takes it away.
        away = partial.with_name(f"{partial.name}-broken{PARTIAL}")
        try:
            os.rename(folder, away)
        except FileNotFoundError:
            continue
        shutil.rmtree(away, ignore_errors=True)


def _make_room(cache: Path, wanted: dict[str, Any]) -> None:
    """Remove what belongs to other weights than the checkpoint now has, and what killed processes have left half-made;
    nothing that was not made here.
    """
    for partial in cache.glob(f".*{PARTIAL}"):
        if time.time() - partial.stat().st_mtime > ABANDONED:
            shutil.rmtree(partial, ignore_errors=True)
    for index in cache.glob(f"*/{INDEX}"):
        try:
            weights = json.loads(index.read_text(encoding="utf-8"))["weights"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if weights != wanted["weights"]:
            shutil.rmtree(index.parent, ignore_errors=True)


def _on_engine(name: str, engine: Engine, exported: Exported) -> Callable[..., Any]:
    dtypes = [getattr(torch, dtype) for dtype in exported.dtypes]
    arguments = tree_unflatten(range(len(dtypes)), exported.arguments)

    def call(*args: Any, **kwargs: Any) -> Any:
        tensors, _ = tensors_in(picked((args, kwargs), arguments), f"the input of graph {name}")
        _check(name, tensors, exported)
        given = [tensor.detach().to(dtype).contiguous() for tensor, dtype in zip(tensors, dtypes)]
        # Engines differ in what they make of nothing.
        outputs = engine(given) if len(given[0]) else [each[:0] for each in engine([_one(each) for each in given])]
        return tree_unflatten(outputs, exported.outputs)

    return call


def _one(nothing: Tensor) -> Tensor:
    """A row in the place of none."""
    return nothing.new_zeros(1, *nothing.shape[1:])


def _check(name: str, tensors: list[Tensor], exported: Exported) -> None:
    found = [list(tensor.shape) for tensor in tensors]
    if len(found) == len(exported.shapes) and all(map(_fits, found, exported.shapes)):
        return
    told = f"graph {name} was exported for {_told(exported.shapes)} and is given {_told(found)}"
    raise InputError(f"{told}: use the config and options that it was exported with, or set runtime.backend to torch")


def _fits(shape: list[int], pattern: list[int | None]) -> bool:
    return len(shape) == len(pattern) and all(side in (None, given) for side, given in zip(pattern, shape))


def _told(shapes: list[Any]) -> str:
    return ", ".join("x".join("any" if side is None else str(side) for side in shape) for shape in shapes)
