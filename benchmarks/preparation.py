"""Milliseconds of preparing a network's inputs: the config's transforms one after the other, against whole batches.

    python benchmarks/preparation.py [--quick] [--rounds 5] [--json FILE]

Drawn frames of 640 x 384 go into the full-size detector's 1333 x 800; their persons into the crops of the part network,
of the pose network and of the painted part detector; clips of neighbouring segments into those of a recognizer. Each is
made ready twice, with bytes and with the normalised and padded numbers that the network computes on: by the config's
``test_pipeline`` and the network's own data preprocessor, and by :mod:`tpsparse.parsing.preparation`. Then keypoints
are found in heatmaps, by mmpose person by person and in tensors. Both give the same bits, which each run checks. On one
core, by processor time, which system time is part of: large fresh memory is paid for by whoever asks for it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from measure import REPOSITORY, in_turns, median_ratio, parser, report

from tpsparse.cli import DONE, run

CONFIGS = REPOSITORY / "configs"
FRAME = (384, 640)
ITEMS, BATCH = "item by item", "whole batch"
REPEATS = 5  # in a round, of which the median counts


@dataclass(frozen=True)
class Work:
    """What is prepared.

    Args:
        config: Below ``configs/``.
        kind: As :func:`tpsparse.parsing.preparation.find_preparation` has it; poses are told from parts.
        items: In a batch.
    """

    config: str
    kind: str
    items: int


WORKS = {
    "frames, 640x384 to 1333x800": Work(
        "person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py", "frame", 8
    ),
    "parts, 256x192": Work("part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py", "person", 32),
    "painted parts, 384x288": Work("part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py", "person", 32),
    "pose, 256x192": Work("pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py", "pose", 32),
    "clips of segments, 7x32 of 256": Work(
        "state_recognition/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_3s.py", "clip", 1
    ),
    "clips of a video, 3x32 of 224": Work(
        "action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py", "clip", 1
    ),
}
POSES = "keypoints of heatmaps, 64x48"


def one_thread() -> None:
    """Let no library use a second core."""
    import cv2
    import torch

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def some_window(persons: int, frames: int) -> Any:
    """Frames of noise with persons of all sizes, all of whose keypoints are confident."""
    import torch

    from tpsparse.parsing.window import Window

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (frames, *FRAME, 3), dtype=np.uint8)
    size = np.stack([rng.uniform(40, 160, persons), rng.uniform(120, 360, persons)], axis=1)
    corner = rng.uniform(0, 1, (persons, 2)) * (np.array(FRAME[::-1]) - size)
    places = corner[:, None] + rng.uniform(0, 1, (persons, 17, 2)) * size[:, None]
    columns = dict(
        boxes=np.concatenate([corner, corner + size], axis=1),
        scores=np.ones(persons),
        keypoints=np.concatenate([places, np.ones((persons, 17, 1))], axis=2),
    )
    tensors = {name: torch.from_numpy(values.astype(np.float32)) for name, values in columns.items()}
    owner = torch.from_numpy(np.sort(rng.integers(0, frames, persons)))
    return Window(torch.from_numpy(images), list(range(1, frames + 1)), owner, tensors)


def roads(work: Work, items: int) -> dict[str, Callable[[bool], Any]]:
    """The two ways to prepare a batch, with bytes (False) or normalised too (True); each gives its inputs."""
    from mmengine.dataset import Compose

    from tpsparse.parsing.preparation import Preprocess, as_batch, find_preparation

    cfg, model = read(work)
    prepare = find_preparation(cfg.test_pipeline, "person" if work.kind == "pose" else work.kind)
    if prepare is None:
        raise RuntimeError(f"{work.config} is not prepared in batches")
    facts, arguments, steps = _inputs(work.kind, items, cfg.test_pipeline)
    pipeline, preprocess = Compose(steps), Preprocess(model)

    def by_item(normalise: bool) -> Any:
        packed = [pipeline(dict(each)) for each in facts]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        return model.data_preprocessor(batch, False)["inputs"] if normalise else batch["inputs"]

    def by_batch(normalise: bool) -> Any:
        batch = prepare(*arguments)
        return preprocess(batch)["inputs"] if normalise else as_batch(model, batch)["inputs"]

    return {ITEMS: by_item, BATCH: by_batch}


def read(work: Work) -> tuple[Any, Any]:
    """A config, and in the place of its network what has its data preprocessor."""
    from mmengine.registry import init_default_scope

    from tpsparse.analysis.flops import official_sizes
    from tpsparse.engine import load_config
    from tpsparse.registry import MODELS, SCOPE

    init_default_scope(SCOPE)
    cfg = load_config(CONFIGS / work.config, taxonomy=official_sizes(), label_table={})
    preprocessor = dict(cfg.model.data_preprocessor)
    if "." not in preprocessor["type"] and preprocessor["type"] != "ImgDataPreprocessor":
        # Networks of mmdet and mmaction2 look it up among their own.
        preprocessor["type"] = {"frame": "mmdet.", "person": "mmdet.", "clip": "mmaction."}[work.kind] + preprocessor[
            "type"
        ]
    return cfg, SimpleNamespace(data_preprocessor=MODELS.build(preprocessor))


def _inputs(kind: str, items: int, pipeline: Sequence[Any]) -> tuple[list[dict[str, Any]], tuple[Any, ...], Any]:
    """What the transforms take of each item, what the preparation takes, and the transforms that are run."""
    from tpsparse.datasets.tasks.poses import pose_sample

    if kind == "clip":
        samples, steps = clips(items, pipeline)
        return samples, (samples,), steps
    window = some_window(persons=items, frames=items if kind == "frame" else 8)
    images = window.images.numpy()
    if kind == "frame":
        facts = dict(img_shape=FRAME, ori_shape=FRAME, img_id=0, img_path="")
        return [dict(facts, img=image) for image in images], (window.images,), pipeline
    columns = {name: window.persons[name].numpy() for name in ("boxes", "keypoints")}
    rows = list(zip(window.owner.tolist(), *columns.values()))
    if kind == "pose":
        return [pose_sample(images[frame], box) for frame, box, _ in rows], (window, slice(0, items)), pipeline
    known = dict(flip_parts=np.arange(10), video="", frame_index=1)
    persons = [dict(known, img=images[frame], box=box, keypoints=points) for frame, box, points in rows]
    return persons, (window, slice(0, items)), pipeline


def clips(items: int, pipeline: Sequence[Any]) -> tuple[list[dict[str, Any]], Any]:
    """Samples of neighbouring segments of 90 frames behind ``DecodeFrames``, and the transforms behind it."""
    from mmengine.dataset import Compose

    from tpsparse.datasets.tasks.clips import clip_sample

    place = [step["type"] for step in pipeline].index("DecodeFrames")
    video = np.random.default_rng(0).integers(0, 256, (90 * items, *FRAME, 3), dtype=np.uint8)
    samples = []
    for number in range(items):
        sample = clip_sample(REPOSITORY / "a.mp4", "a", 90, 30.0, label=-1)
        sample = Compose(pipeline[:place])(dict(sample, start_index=1 + 90 * number))
        frames = [video[index - 1] for index in sample["frame_inds"]]
        samples.append(dict(sample, imgs=frames, original_shape=FRAME, img_shape=FRAME))
    return samples, pipeline[place + 1 :]


def decoders(persons: int) -> dict[str, Callable[[bool], Any]]:
    """The two ways to find keypoints in heatmaps; both give them in pixels of the crop."""
    import torch
    from mmpose.codecs import MSRAHeatmap

    from tpsparse.models.pose import decode_heatmaps

    codec = MSRAHeatmap(input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
    heatmaps = torch.rand(persons, 17, 64, 48, generator=torch.Generator().manual_seed(0))

    def by_item(normalise: bool) -> Any:
        return [torch.from_numpy(codec.decode(each)[0][0]) for each in heatmaps.numpy()]

    def by_batch(normalise: bool) -> Any:
        return decode_heatmaps(heatmaps)[0] * torch.from_numpy(codec.scale_factor)

    return {ITEMS: by_item, BATCH: by_batch}


def measure(ways: Mapping[str, Callable[[bool], Any]], items: int, *, repeats: int) -> dict[str, dict[str, float]]:
    """Median milliseconds an item, by the way and by what is given: ``bytes`` or ``ready``.

    Raises:
        RuntimeError: If the ways do not give the same.
    """
    import torch

    for normalise in (False, True):
        one, other = (way(normalise) for way in ways.values())
        if not all(torch.equal(a, b) for a, b in zip(one, other, strict=True)):
            raise RuntimeError("a whole batch is not what its items are")
    spent: dict[str, dict[str, float]] = {name: {} for name in ways}
    for form, normalise in (("bytes", False), ("ready", True)):
        times = in_turns({name: partial(_seconds, way, normalise) for name, way in ways.items()}, repeats)
        for name, values in times.items():
            spent[name][form] = 1000 * statistics.median(values) / items
    return spent


def _seconds(way: Callable[[bool], Any], normalise: bool) -> float:
    start = time.process_time()
    way(normalise)
    return time.process_time() - start


def rows_of(results: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> list[dict[str, Any]]:
    """A row of what is prepared: milliseconds an item, and how many times as fast the batch is."""
    rows = []
    for name, rounds in results.items():
        for form in ("bytes", "ready"):
            items, batch = ([one[way][form] for one in rounds] for way in (ITEMS, BATCH))
            row = {"inputs": name, "up to": form, ITEMS: statistics.median(items), BATCH: statistics.median(batch)}
            rows.append({**row, "times as fast": median_ratio(items, batch)})
    return [row for row in rows if (row["inputs"], row["up to"]) != (POSES, "ready")]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parser(__doc__).parse_args(argv)
    one_thread()
    repeats = 1 if args.quick else REPEATS
    counts = {name: min(work.items, 2) if args.quick else work.items for name, work in WORKS.items()}
    ways = {name: roads(work, counts[name]) for name, work in WORKS.items()}
    ways[POSES], counts[POSES] = decoders(2 if args.quick else 32), 2 if args.quick else 32
    peers = {name: partial(measure, way, counts[name], repeats=repeats) for name, way in ways.items()}
    results = in_turns(peers, 1 if args.quick else args.rounds)
    report("preparation", {"Milliseconds an item": rows_of(results)}, file=args.json, items=counts, rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
