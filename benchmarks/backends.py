r"""Seconds of a network's whole test step on ready inputs, by how it is run: PyTorch's ways, ONNX Runtime, OpenVINO.

    python benchmarks/backends.py [--networks NAME ...] [--rounds 3] [--json FILE]

The networks have their full size and random weights, which costs the same as trained ones: a detector keeps as many
proposals and persons as its config allows. A step is what a stage calls: normalizing, the graphs, and what lies between
them (RoIAlign, suppression, decoding). All ways of a network take turns, on the same inputs; the first, PyTorch in fp32
as it comes, is what the others are compared with. Preparation of inputs and decoding of videos are not part of it.
Graphs of engines are exported once into the folder of ``--data``, which takes up to a minute each.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measure import REPOSITORY, in_turns, median_ratio, parser, report

from tpsparse.cli import DONE, positive, run

CONFIGS = REPOSITORY / "configs"
WAYS: dict[str, dict[str, Any]] = {
    "torch": {},
    "torch cl": dict(memory_format="channels_last"),
    "torch cl fused": dict(memory_format="channels_last", fuse=True),
    "torch bf16": dict(precision="bf16"),
    "torch bf16 cl fused": dict(precision="bf16", memory_format="channels_last", fuse=True),
    "onnx": dict(backend="onnx"),
    "openvino": dict(backend="openvino"),
    "openvino bf16": dict(backend="openvino", precision="bf16"),
}
"""Name to the values of a runtime; ``cl`` is channels_last."""
CLOCKS: dict[str, Callable[[], float]] = {"the clock": time.perf_counter, "processor time": time.process_time}
"""A busy machine blurs the second least, with one thread."""


@dataclass(frozen=True)
class Case:
    """A network to measure.

    Args:
        config: Below ``configs/``.
        batches: Items in a batch.
        frame: (height, width) of the frames that a detector is given, to which its scale is set; None for networks
            whose inputs have a fixed size.
        options: Overrides of the config.
    """

    config: str
    batches: tuple[int, ...]
    frame: tuple[int, int] | None = None
    options: tuple[tuple[str, Any], ...] = ()


ONE_CLIP = (("test_pipeline.0.num_clips", 1),)
CASES = {
    "Cascade R-CNN R101": Case(
        "person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py", (1, 4), (384, 640)
    ),
    "YOLOF R101 persons": Case("person_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps.py", (1, 4), (384, 640)),
    "HRNet-W48 pose": Case("pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py", (2, 16)),
    "Parsing-HRNet-W48": Case("part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py", (2, 16)),
    "YOLOF R101 parts": Case("part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py", (2, 16)),
    "Faster R-CNN VGG16": Case("part_detection/scu_faster-rcnn_vgg16_1xb1_kinetics-tps.py", (1,), (384, 640)),
    "PartStateNet VGG16": Case("part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224.py", (4,)),
    "TimeSformer": Case("action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py", (1,)),
    "Video Swin-B": Case("action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py", (1,)),
    "ip-CSN-152": Case("action_recognition/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py", (1,), None, ONE_CLIP),
    "TSN R50": Case("action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py", (1,)),
}
QUICK = {
    "HRNet-W16 pose": Case("quick/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py", (2,)),
    "TSN R18": Case("quick/action_recognition/pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb.py", (1,)),
}


def open_network(case: Case) -> Any:
    """A network of random weights, the same in each call, as a stage has it."""
    import torch
    from mmengine.dataset import Compose
    from mmengine.registry import init_default_scope

    from tpsparse.analysis.flops.networks import official_sizes, some_labels
    from tpsparse.engine import load_config
    from tpsparse.parsing.network import TrainedNetwork, _without_pretraining
    from tpsparse.registry import MODELS, SCOPE

    init_default_scope(SCOPE)
    names = official_sizes()
    cfg = load_config(CONFIGS / case.config, options=dict(case.options), taxonomy=names, label_table=some_labels(names))
    if case.frame is not None:
        resize = next(step for step in cfg.test_pipeline if "scale" in step)
        resize.scale = tuple(reversed(case.frame))
    torch.manual_seed(0)
    model = MODELS.build(_without_pretraining(cfg.model)).eval()
    return TrainedNetwork(cfg, model, Compose(cfg.test_pipeline), "")


def open_ways(case: Case, ways: Mapping[str, dict[str, Any]], checkpoint: Path) -> dict[str, Any]:
    """A network of its own for each way, put into that state."""
    from tpsparse.runtime import Runtime, run_with

    networks = {}
    for name, values in ways.items():
        networks[name] = open_network(case)
        run_with(networks[name], Runtime(**values), checkpoint=str(checkpoint))
    return networks


def make_items(network: Any, case: Case, count: int) -> list[dict[str, Any]]:
    """A batch of prepared noise."""
    from tpsparse.runtime.made_items import FRAME_SIZES, made_items

    sizes = [case.frame or FRAME_SIZES[0]]
    [item, *_] = made_items(network.model, network.config, network.pipeline, sizes=sizes)
    return [item] * count


def step_seconds(network: Any, items: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Of one test step, by each of :data:`CLOCKS`; the items are copied, because networks write into samples."""
    own = [copy.deepcopy(item) for item in items]
    start = [clock() for clock in CLOCKS.values()]
    network.predict(own)
    return {name: clock() - before for (name, clock), before in zip(CLOCKS.items(), start)}


def row_of(name: str, batch: int, clock: str, results: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """A network's row by one clock: seconds of an item in the first way, and the other ways' share of that."""
    [first, *others] = results
    seconds = {way: [each[clock] for each in rounds] for way, rounds in results.items()}
    row = {"network": name, "batch": batch, f"{first}, s an item": statistics.median(seconds[first]) / batch}
    shares = {way: median_ratio(seconds[way], seconds[first]) for way in results}
    return {**row, **{way: shares[way] for way in others}, "fastest": min(shares, key=shares.__getitem__)}


def measure(name: str, case: Case, args: Any, folder: Path) -> list[dict[str, Any]]:
    """A row for each size of batch of one network, with all its numbers."""
    ways = {way: WAYS[way] for way in args.ways}
    networks = open_ways(case, ways, folder / f"{name.replace(' ', '-')}.pth")
    rows = []
    for batch in case.batches:
        items = make_items(next(iter(networks.values())), case, batch)
        peers: dict[str, Callable[[], dict[str, float]]] = {
            way: partial(step_seconds, network, items) for way, network in networks.items()
        }
        in_turns(peers, 1)  # engines choose their kernels in the first call of a shape
        results = in_turns(peers, args.rounds)
        rows.append(dict(rows={clock: row_of(name, batch, clock, results) for clock in CLOCKS}, seconds=results))
    return rows


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    options.add_argument("--networks", nargs="+", choices=CASES, metavar="NAME", help="some of them (default: all)")
    options.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help="some of them")
    options.add_argument("--threads", type=positive, help="of the processor (default: all)")
    args = options.parse_args(argv)
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    cases = QUICK if args.quick else {name: CASES[name] for name in args.networks or CASES}
    args.rounds = 1 if args.quick else args.rounds
    folder = args.data / "backends"
    found = {name: measure(name, case, args, folder) for name, case in cases.items()}
    rows = [each["rows"] for measured in found.values() for each in measured]
    report(
        "backends",
        {f"A test step by how the network is run, by {clock}": [each[clock] for each in rows] for clock in CLOCKS},
        file=args.json,
        threads=torch.get_num_threads(),
        rounds={name: [each["seconds"] for each in measured] for name, measured in found.items()},
    )
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
