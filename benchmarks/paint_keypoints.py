"""Milliseconds of painting keypoints on a person's crop, beside those of cutting it out and of the part detector.

    python benchmarks/paint_keypoints.py [--quick] [--rounds 5] [--json FILE]

A drawn frame of 1280 x 720 with one person is cut out and painted by the test pipelines of the full-size and of the
quick part detector, and the quick network looks at the painted crop. Whatever is compared takes turns crop by crop, on
one core by processor time. Goal: painting does not show in a profile, so it takes less than a tenth of the network's
time even on a processor and at the quick size, and less than the crop's own transform.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import REPOSITORY, in_turns, median_ratio, parser, report

from tpsparse.cli import DONE, run

CONFIGS = {
    "quick": REPOSITORY / "configs/quick/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96.py",
    "full size": REPOSITORY / "configs/part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py",
}
FRAME, BOX = (720, 1280), (500, 60, 780, 690)
CROPS = 200  # in a round
STEPS = ("CropPerson", "PaintKeypoints")


def one_thread() -> None:
    """Let no library use a second core."""
    import cv2
    import torch

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def person(seed: int = 0) -> dict[str, Any]:
    """A frame of noise with one person, all of whose keypoints are confident."""
    generator = np.random.default_rng(seed)
    places = generator.uniform(BOX[:2], BOX[2:], (17, 2))
    return dict(
        img=generator.integers(0, 256, (*FRAME, 3), dtype=np.uint8),
        box=np.array(BOX, dtype=np.float32),
        keypoints=np.column_stack([places, np.ones(17)]).astype(np.float32),
        flip_parts=np.arange(10),
        video="drawn",
        frame_index=1,
    )


def read(config: Path) -> Any:
    """A config, filled in with the official numbers of names."""
    from mmengine.registry import init_default_scope

    from tpsparse.analysis.flops import official_sizes
    from tpsparse.engine import load_config
    from tpsparse.registry import SCOPE

    init_default_scope(SCOPE)
    return load_config(config, taxonomy=official_sizes())


def transforms(cfg: Any) -> dict[str, Callable[[Any], Any]]:
    """Those of a config's test pipeline, by name."""
    from mmengine.dataset import Compose

    return {type(step).__name__: step for step in Compose(cfg.test_pipeline).transforms}


def network(cfg: Any) -> Callable[[Any], Any]:
    """A config's network with random weights, for one packed crop."""
    import torch

    from tpsparse.registry import MODELS

    model = MODELS.build(cfg.model).eval()

    def look(packed: dict[str, Any]) -> Any:
        with torch.inference_mode():
            return model.test_step({key: [value] for key, value in packed.items()})

    return look


def seconds_of(work: Callable[[Any], Any], item: Any) -> tuple[float, Any]:
    """Processor time of a call, and what it gives."""
    start = time.process_time()
    result = work(item)
    return time.process_time() - start, result


def measure(config: Path, *, crops: int, forward: bool) -> dict[str, float]:
    """Median seconds of each step over ``crops`` crops, the steps by turns.

    Args:
        config: Of a part detector that paints keypoints.
        crops: How many.
        forward: Whether the network is run too.
    """
    cfg = read(config)
    steps = transforms(cfg)
    look = network(cfg) if forward else None
    sample, spent = person(), {name: [] for name in STEPS}  # type: dict[str, Any], dict[str, list[float]]
    for _ in range(crops):
        item = dict(sample)
        for name, step in steps.items():
            seconds, item = seconds_of(step, item)
            if name in STEPS:
                spent[name].append(seconds)
        if look is not None:
            spent.setdefault("network", []).append(seconds_of(look, item)[0])
    return {name: statistics.median(values) for name, values in spent.items()}


def rows_of(results: Mapping[str, Sequence[Mapping[str, float]]]) -> list[dict[str, Any]]:
    """A row a step and size, with the ratio of the painting to it as the median of the rounds' ratios."""
    rows = []
    for size, rounds in results.items():
        paint = [one["PaintKeypoints"] for one in rounds]
        for name in rounds[0]:
            times = [one[name] for one in rounds]
            row = {"size": size, "step": name, "ms": 1000 * statistics.median(times)}
            rows.append({**row, "painting to it": median_ratio(paint, times)})
    return rows


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parser(__doc__).parse_args(argv)
    one_thread()
    crops = 5 if args.quick else CROPS
    peers = {
        size: lambda config=config, size=size: measure(config, crops=crops, forward=size == "quick")
        for size, config in CONFIGS.items()
    }
    results = in_turns(peers, 1 if args.quick else args.rounds)
    report("paint_keypoints", {"Painting keypoints": rows_of(results)}, file=args.json, crops=crops, rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
