"""A network's graphs as files of another engine.

A folder has a file, or two, of each graph, and ``graphs.json``, written last: what the files follow from, their
digests, and how tensors go in and come out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_unflatten, treespec_dumps, treespec_loads

from ..errors import InputError
from ..structures.files import write_json, writing_told
from .backends import BACKENDS
from .backends.onnx import names
from .backends.packages import needed, versions
from .graphs import Graph, device_of, graphs_of, network_in
from .signatures import Signature, tensors_in

if TYPE_CHECKING:
    from .networks import Network

INDEX = "graphs.json"
FORMAT = 1
"""Of the folder; to be raised when the same network gives other files."""
EXPORTERS = ("onnx", "onnxscript")
"""Packages that PyTorch's exporter needs."""
MAKERS = ("torch", *EXPORTERS, "onnxruntime", "openvino")
NOISY = ("torch.onnx", "onnxscript", "onnx_ir")
"""Loggers that tell of each step of an export."""


@dataclass(frozen=True)
class Exported:
    """A graph in a folder.

    Args:
        path: The file that the engine opens.
        shapes: Of each tensor that goes in; None where it varies.
        dtypes: Of each, by PyTorch's name.
        arguments: How they are arranged in the call's positional and named arguments.
        outputs: How the tensors that come out are arranged.
    """

    path: Path
    shapes: list[list[int | None]]
    dtypes: list[str]
    arguments: TreeSpec
    outputs: TreeSpec


def export(
    network: Network,
    signatures: Mapping[str, Signature],
    folder: Path,
    *,
    backend: str,
    programs: Mapping[str, Path] | None = None,
) -> list[Path]:
    """Write the graphs of a network into a folder.

    Args:
        network: In PyTorch and fp32, as it was loaded.
        signatures: Of its graphs, see :func:`.find_signatures`.
        folder: Where to; what is in it is overwritten.
        backend: ``onnx`` or ``openvino``.
        programs: ONNX file of each graph, where they are there already.

    Returns:
        All files, ``graphs.json`` last.

    Raises:
        InputError: If a package is missing, a graph cannot be exported, or there is no room.
    """
    for package in () if programs else EXPORTERS:
        needed(package, f"exporting to {backend}")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    entries: dict[str, Any] = {}
    for name, graph in graphs_of(network.model).items():
        with writing_told(folder / name), tempfile.TemporaryDirectory(dir=folder, prefix=".") as temporary:
            program = programs[name] if programs else _export_graph(graph, signatures[name], Path(temporary))
            files = BACKENDS[backend].convert(program, folder, name)
        entries[name] = _entry(files, signatures[name])
        written += files
    index = dict(identity(network, backend), made_with=versions(*MAKERS), graphs=entries)
    write_json(folder / INDEX, index)
    return [*written, folder / INDEX]


def identity(network: Network, backend: str) -> dict[str, Any]:
    """What the files of a network follow from."""
    model = network_in(network.model)
    made_of = json.dumps(
        [network.config.get("model"), network.config.get("test_pipeline")], sort_keys=True, default=str
    )
    return dict(
        format=FORMAT,
        backend=backend,
        network=type(model).__name__,
        config=hashlib.sha256(made_of.encode()).hexdigest(),
        weights=weights_digest(model),
    )


def read_exported(folder: Path, wanted: Mapping[str, Any]) -> dict[str, Exported] | None:
    """The graphs in a folder; None if they follow from anything else, or a file is missing or has changed.

    Args:
        folder: Where they are.
        wanted: Their :func:`identity`.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if any(index[key] != value for key, value in wanted.items()):
            return None
        graphs = index["graphs"]
        whole = all(_digest(folder / file) == told for each in graphs.values() for file, told in each["files"].items())
        return {name: _exported(folder, each) for name, each in graphs.items()} if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def weights_digest(model: nn.Module) -> str:
    """A digest of a network's weights by name and content."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class _Flat(nn.Module):
    """A graph whose tensors go in and come out in rows."""

    def __init__(self, graph: Graph, arguments: TreeSpec) -> None:
        super().__init__()
        self.owner = graph.owner
        self.graph = graph
        self.arguments = arguments

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        args, kwargs = tree_unflatten(list(tensors), self.arguments)
        return tuple(tensors_in(self.graph.call(*args, **kwargs), self.graph.name)[0])


def _export_graph(graph: Graph, signature: Signature, folder: Path) -> Path:
    """The ONNX file of a graph."""
    device = device_of(graph.owner)
    example = tuple(tensor.to(device) for tensor in signature.example())
    varying = tuple(
        {place: torch.export.Dim.DYNAMIC for place, side in enumerate(shape) if side is None}
        for shape in signature.shapes
    )
    program = folder / "graph.onnx"
    try:
        with _quiet():
            torch.onnx.export(
                _Flat(graph, signature.arguments).eval(),
                example,
                str(program),
                dynamo=True,
                dynamic_shapes=(varying,),
                input_names=names(len(example)),
                output_names=names(signature.outputs.num_leaves, "output"),
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        told = str(error.__cause__ or error).strip().splitlines()[0]
        raise InputError(f"graph {graph.name} cannot be exported ({told}): set runtime.backend to torch") from error
    return program


def _entry(files: list[Path], signature: Signature) -> dict[str, Any]:
    return dict(
        files={path.name: _digest(path) for path in files},
        shapes=signature.shapes,
        dtypes=[str(dtype).removeprefix("torch.") for dtype in signature.dtypes],
        arguments=treespec_dumps(signature.arguments),
        outputs=treespec_dumps(signature.outputs),
    )


def _exported(folder: Path, entry: Mapping[str, Any]) -> Exported:
    first = next(iter(entry["files"]))
    arguments, outputs = (treespec_loads(entry[key]) for key in ("arguments", "outputs"))
    return Exported(folder / first, entry["shapes"], entry["dtypes"], arguments, outputs)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks, none of which a user can act on; its errors are raised."""
    levels = {name: logging.getLogger(name).level for name in NOISY}
    try:
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
