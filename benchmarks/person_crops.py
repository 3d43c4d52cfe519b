"""Person crops a second on one core, decoding included: mmpose's stock top-down data set against this project's.

    python benchmarks/person_crops.py [--quick] [--rounds 3] [--pool 8] [--json FILE]

The same persons of the same frames (every fifth, 340 x 256) of a generated tree (``tree.py``), each read once in an
epoch: by mmpose's ``CocoDataset`` with the train pipeline of its own HRNet-W48 256x192 config from extracted JPEG
frames, and by ``TPSPartDataset`` with the train pipeline of the full-size part parsing config from the same JPEG files
and straight from the videos, in random order and with ``SeededSampler(pool=...)``; at last through a data loader with
two workers, whose processor time counts too. Every measurement is a process of its own without a thread beside it and
begins with empty caches of its own; the files are in the page cache. The rate is by processor time, which a busy
machine blurs least. Goal: at least twice mmpose's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from measure import MB, REPOSITORY, in_turns, median_ratio, parser, report, run_measured, tree_pss
from tree import make_tree

from tpsparse.cli import DONE, positive, run
from tpsparse.structures.files import write_json

CONFIG = REPOSITORY / "configs" / "part_parsing" / "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"
MMPOSE_CONFIG = ".mim/configs/body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py"
FULL, QUICK = (48, 48 * 151), (4, 80)  # videos, frames
BATCH, WORKERS = 32, 2
COCO = "person_keypoints.json"
# COCO's keypoints in its order, by the part whose centre stands for them.
KEYPOINT_PARTS = (
    *["head"] * 5,
    *[f"{side}_{part}" for part in ("arm", "arm", "hand") for side in ("left", "right")],
    *["hip"] * 2,
    *[f"{side}_{part}" for part in ("leg", "foot") for side in ("left", "right")],
)


@dataclass(frozen=True)
class Peer:
    """One way to read the samples.

    Args:
        library: ``mmpose`` or ``tpsparse``.
        source: ``frames`` or ``videos``.
        pooled: Whether samples of a few videos follow each other.
        workers: Of a data loader; 0 calls the data set itself.
        turns: Whether the sampler knows of the workers.
        most: Samples read; None for the whole epoch.
    """

    library: str
    source: str
    pooled: bool = False
    workers: int = 0
    turns: bool = False
    most: int | None = None


STOCK = "mmpose stock, frames, random order"
LOADED = f", {WORKERS} loader workers"
PEERS: dict[str, Peer] = {
    STOCK: Peer("mmpose", "frames"),
    "tpsparse, frames, random order": Peer("tpsparse", "frames"),
    "tpsparse, frames, pools": Peer("tpsparse", "frames", pooled=True),
    "tpsparse, videos, pools": Peer("tpsparse", "videos", pooled=True),
    # A data set of thousands of videos never has the next one decoded already: so few that this holds here too.
    "tpsparse, videos, random order": Peer("tpsparse", "videos", most=200),
    STOCK + LOADED: Peer("mmpose", "frames", workers=WORKERS),
    f"tpsparse, frames, pools{LOADED} in turns": Peer("tpsparse", "frames", True, WORKERS, True),
    f"tpsparse, videos, pools{LOADED} in turns": Peer("tpsparse", "videos", True, WORKERS, True),
    f"tpsparse, videos, pools{LOADED}": Peer("tpsparse", "videos", True, WORKERS),
}


def build(peer: Peer, root: Path) -> Any:
    """The peer's data set on a tree."""
    return _mmpose_dataset(root) if peer.library == "mmpose" else _part_dataset(root, frames=peer.source == "frames")


def one_thread() -> None:
    """Let no library use a second core."""
    import cv2
    import torch

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _part_dataset(root: Path, *, frames: bool) -> Any:
    from mmengine.registry import init_default_scope

    from tpsparse.engine import load_config
    from tpsparse.registry import DATASETS, SCOPE

    init_default_scope(SCOPE)
    cfg = load_config(CONFIG, options={"data_root": str(root)})
    return DATASETS.build(dict(cfg.train_dataloader.dataset, use_frames=frames))


def _mmpose_dataset(root: Path) -> Any:
    import mmpose
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS
    from mmpose.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    init_default_scope("mmpose")
    cfg = Config.fromfile(Path(mmpose.__file__).parent / MMPOSE_CONFIG)
    dataset = cfg.train_dataloader.dataset
    dataset.update(data_root="", ann_file=str(root / COCO), data_prefix=dict(img=f"{root / 'train_frames'}/"))
    return DATASETS.build(dataset)


def write_coco(root: Path) -> int:
    """Write the samples of the part data set as COCO person keypoints; how many there are."""
    dataset = _part_dataset(root, frames=True)
    index, images, persons = dataset.index, {}, []
    for sample, (row, frame) in enumerate(zip(dataset.rows.tolist(), dataset.frames.tolist())):
        entry, number = index.video_of(frame), int(index.frame_number[frame])
        file = f"{entry.path.parent.name}/{entry.name}/img_{number:05d}.jpg"
        images[frame] = dict(id=frame, file_name=file, height=entry.size[0], width=entry.size[1])
        box, (parts, _) = index.boxes[row].astype(float), index.person_parts(row)
        points = keypoints(parts, dataset.taxonomy.part_ids)
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        place = dict(bbox=[float(box[0]), float(box[1]), width, height], area=width * height, iscrowd=0)
        labels = dict(keypoints=points.ravel().tolist(), num_keypoints=int(np.count_nonzero(points[:, 2])))
        persons.append(dict(id=sample + 1, image_id=frame, category_id=1, **place, **labels))
    categories = [dict(id=1, name="person")]
    write_json(root / COCO, dict(images=list(images.values()), annotations=persons, categories=categories))
    return len(persons)


def keypoints(part_boxes: np.ndarray, part_ids: Mapping[str, int]) -> np.ndarray:
    """(17, 3) x, y and visibility (0 or 2): the centres of part boxes (K, 4), of which NaN ones are not visible."""
    boxes = part_boxes[[part_ids[part] for part in KEYPOINT_PARTS]].astype(np.float64)
    seen = np.isfinite(boxes).all(axis=1)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.where(seen[:, None], np.column_stack([centres, np.full(len(boxes), 2.0)]), 0.0)


def keys_of(peer: Peer, dataset: Any, pool: int) -> Iterable[Any]:
    """The samples of one epoch in the peer's order."""
    if peer.library == "mmpose":
        from mmengine.dataset import DefaultSampler

        return DefaultSampler(dataset, seed=0)
    from tpsparse.engine import SeededSampler

    return SeededSampler(dataset, **sampler_arguments(peer, pool))


def sampler_arguments(peer: Peer, pool: int) -> dict[str, Any]:
    """What ``SeededSampler`` is given."""
    turns = dict(workers=peer.workers, batch_size=BATCH) if peer.turns else {}
    return dict(seed=0, pool=pool if peer.pooled else None, **turns)


def measure(peer: Peer, root: Path, *, pool: int, steps: int) -> dict[str, Any]:
    """Read an epoch in this process; also the milliseconds that single steps take.

    Args:
        peer: Who reads.
        root: The tree.
        pool: Videos at a time, where the peer takes pools.
        steps: Samples of which single steps are measured afterwards.
    """
    np.random.seed(0)
    dataset = build(peer, root)
    keys = list(islice(keys_of(peer, dataset, pool), peer.most))
    clock, before = time.perf_counter(), os.times()
    count = sum(1 for _ in _samples(peer, dataset, keys))
    seconds, after = time.perf_counter() - clock, os.times()
    processor = sum(after[:4]) - sum(before[:4])  # user and system, of this process and of those that have ended
    times = step_times(peer, dataset, keys[-steps:]) if steps and not peer.workers else {}
    return dict(samples=count, seconds=seconds, cpu_seconds=processor, size=len(dataset), steps=times)


def _samples(peer: Peer, dataset: Any, keys: Sequence[Any]) -> Iterator[Any]:
    if not peer.workers:
        yield from (dataset[key] for key in keys)
        return
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader

    loader: DataLoader = DataLoader(
        dataset,
        BATCH,
        sampler=keys,
        num_workers=peer.workers,
        collate_fn=pseudo_collate,
        multiprocessing_context="fork",
    )
    for batch in loader:
        yield from batch["data_samples"]


def step_times(peer: Peer, dataset: Any, keys: Sequence[Any]) -> dict[str, float]:
    """Median milliseconds of finding a sample and of every transform."""
    find: Callable[[Any], Any] = (
        dataset.get_data_info if peer.library == "mmpose" else lambda key: dataset.sample(key[0])
    )
    spent: dict[str, list[float]] = {}
    for key in keys:
        start = time.perf_counter()
        sample = find(key)
        spent.setdefault("sample", []).append(time.perf_counter() - start)
        for transform in dataset.pipeline.transforms:
            start = time.perf_counter()
            sample = transform(sample)
            spent.setdefault(type(transform).__name__, []).append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(times) for name, times in spent.items()}


def measure_apart(name: str, root: Path, *, pool: int, steps: int) -> dict[str, Any]:
    """:func:`measure` in a process of its own, with its peak memory."""
    script = str(Path(__file__).resolve())
    options = ["--data", str(root), "--pool", str(pool), "--steps", str(steps)]
    done = run_measured([sys.executable, script, "--peer", name, *options])
    return dict(json.loads(done.output.splitlines()[-1]), peak_bytes=done.peak_bytes)


def measure_here(name: str, root: Path, *, pool: int, steps: int) -> dict[str, Any]:
    """:func:`measure` in this process, as a quick run has it: what was decoded before serves the next peer too."""
    return dict(measure(PEERS[name], root, pool=pool, steps=steps), peak_bytes=tree_pss(os.getpid()))


def prepare(data: Path, *, quick: bool) -> Path:
    """The tree with its frames and its COCO file, made where it is not there."""
    from tpsparse.datasets.frame_folder import extract_frames

    videos, frames = QUICK if quick else FULL
    root = data / f"crops_{frames}"
    make_tree(root, videos=videos, frames=frames, workers=1 if quick else None, progress=not quick)
    extract_frames(root, workers=1 if quick else None, progress=not quick)
    if not (root / COCO).is_file():
        write_coco(root)
    return root


def rows_of(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One row a peer; peers with loader workers are compared with mmpose's with loader workers."""
    rows = []
    for name, rounds in results.items():
        rates = [_rate(one) for one in rounds]
        stock = [_rate(one) for one in results[STOCK + LOADED if LOADED in name else STOCK]]
        rows.append(
            {
                "samples": name,
                "read": rounds[0]["samples"],
                "a second and core": statistics.median(rates),
                "by the clock": statistics.median(one["samples"] / one["seconds"] for one in rounds),
                "ratio to mmpose": median_ratio(rates, stock),
                "peak MB": max(one["peak_bytes"] for one in rounds) / MB,
            }
        )
    return rows


def _rate(result: Mapping[str, Any]) -> float:
    return result["samples"] / max(result["cpu_seconds"], 0.01)  # processor time is counted in hundredths


def step_rows(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Where the time of a sample goes, by the median of the rounds."""
    rows = []
    for name, rounds in results.items():
        for step in rounds[0]["steps"]:
            rows.append({"samples": name, "step": step, "ms": statistics.median(one["steps"][step] for one in rounds)})
    return rows


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    options.add_argument("--pool", type=positive, default=8, help="videos at a time")
    options.add_argument("--peer", choices=sorted(PEERS), help=argparse.SUPPRESS)  # only this one, on the tree --data
    options.add_argument("--steps", type=int, default=0, help=argparse.SUPPRESS)
    args = options.parse_args(argv)
    if args.peer:
        one_thread()
        print(json.dumps(measure(PEERS[args.peer], args.data, pool=args.pool, steps=args.steps)))
        return DONE
    root = prepare(args.data, quick=args.quick)
    steps = 20 if args.quick else 500
    measured = measure_here if args.quick else measure_apart
    peers = {name: partial(measured, name, root, pool=args.pool, steps=steps) for name in PEERS}
    results = in_turns(peers, 1 if args.quick else args.rounds)
    if len({one["size"] for rounds in results.values() for one in rounds}) != 1:
        raise RuntimeError("the peers do not have the same samples")
    tables = {"Person crops": rows_of(results), "Milliseconds of a step": step_rows(results)}
    report("person_crops", tables, file=args.json, pool=args.pool, rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
