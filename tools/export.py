"""Write trained networks as files of ONNX Runtime or OpenVINO, which a runtime's backend runs."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from tpsparse.cli import DONE, EXIT_HELP, add_config_options, folder, run
from tpsparse.errors import InputError

if TYPE_CHECKING:
    from mmengine.config import Config

    from tpsparse.parsing.network import TrainedNetwork

BACKENDS = ("onnx", "openvino")


class Source(NamedTuple):
    """Where a network comes from.

    Args:
        config: That it was trained with.
        checkpoint: A file, a URL or the folder of its run.
        options: Overrides of the config.
        train_options: Those of them that it was trained with.
    """

    config: str
    checkpoint: str
    options: dict[str, Any]
    train_options: dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a training config, or one of configs/systems/ for each of its networks")
    parser.add_argument("checkpoint", nargs="?", help="a network's weights (default: the last of its run)")
    parser.add_argument("--backend", choices=BACKENDS, required=True, help="what the files are for")
    parser.add_argument(
        "--out",
        type=folder,
        help="OUT/<network>/ is written, for programs other than this (default: beside each checkpoint, where a run "
        "with this backend looks)",
    )
    add_config_options(parser)
    args = parser.parse_args(argv)

    from tpsparse.engine import load_config
    from tpsparse.structures.folder_lock import folder_lock
    from tpsparse.taxonomy import Taxonomy

    # Which names fill the config does not matter for finding networks.
    any_names = Taxonomy(parts=("part",), states=("state",), actions=("action",))
    cfg = load_config(args.config, options=args.cfg_options, work_dir=args.work_dir, taxonomy=any_names, label_table={})
    sources = find_sources(cfg, args.config, args.checkpoint, args.cfg_options)
    alone = nullcontext() if args.out is None else folder_lock(args.out, remedy="give another --out")
    with alone:
        for source in tqdm(sources, desc="export", unit="network"):
            tqdm.write(str(_export(source, args.backend, args.out)))
    return DONE


def find_sources(cfg: Config, config: str, checkpoint: str | None, options: dict[str, Any]) -> list[Source]:
    """The network of a config, or those of a system's stages, each once.

    Args:
        cfg: The config, filled in.
        config: Its file.
        checkpoint: Of one network.
        options: Overrides of the config.

    Raises:
        InputError: If a system is given with a checkpoint, or has no network.
    """
    from tpsparse import apis

    if not apis.is_system(cfg):
        return [Source(config, checkpoint or cfg.work_dir, options, {})]
    if checkpoint:
        raise InputError(f"{config} is of a system, whose config names its checkpoints: leave {checkpoint} out")
    found = []
    for stage in cfg.model.stages:
        if "checkpoint" in stage:
            trained = dict(stage.get("train_options", {}))
            source = Source(stage.config, stage.checkpoint, {**trained, **stage.get("options", {})}, trained)
            found += [source] if source not in found else []
    if not found:
        raise InputError(f"{config} has no stage with a network: there is nothing to export")
    return found


def _export(source: Source, backend: str, out: str | None) -> Path:
    """Where the files of a network are, written if need be."""
    from tpsparse.engine.config import network_name
    from tpsparse.runtime.engines import exported_graphs
    from tpsparse.runtime.export import export
    from tpsparse.runtime.signatures import find_signatures
    from tpsparse.structures.files import writing_told

    network = _load(source)
    if out is None:
        graphs = exported_graphs(network, backend, network.checkpoint)
        return next(iter(graphs.values())).path.parent
    target = Path(out) / network_name(source.config, source.train_options)
    partial = target.with_name(f".{target.name}.partial")
    earlier = target.with_name(f".{target.name}.earlier")
    with writing_told(target):
        for left in (partial, earlier):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        export(network, find_signatures(network), partial, backend=backend)
        if target.exists():
            target.rename(earlier)
        partial.rename(target)
        shutil.rmtree(earlier, ignore_errors=True)
    return target


def _load(source: Source) -> TrainedNetwork:
    """A network with the names that it was trained with.

    Raises:
        InputError: If the checkpoint cannot be used.
    """
    from tpsparse.parsing.network import find_checkpoint, load_network, read_checkpoint, stored_taxonomy
    from tpsparse.taxonomy import Taxonomy

    path = find_checkpoint(source.checkpoint, source.config, source.train_options)
    names = stored_taxonomy(read_checkpoint(path))
    if names is None:
        raise InputError(f"{path} does not know its labels: give a checkpoint written by tools/train.py")
    return load_network(source.config, path, Taxonomy.from_meta(names), source.options)


if __name__ == "__main__":
    sys.exit(run(main))
