"""What the index costs at the real size: time to open it, memory of loader workers, time to read one sample.

    python benchmarks/index_open.py [--quick] [--rounds 3] [--coco-share 20] [--json FILE]

An index of 4,741 videos, 575,000 frames, 1.6 M persons, 8 M parts and 0.5 M objects (``real_size.py``) against the
same annotations in COCO's format, every box an annotation, read by pycocotools and by mmdet's ``CocoDataset``. Those
would take some ten gigabytes, so they are given one video in ``--coco-share`` and the numbers that grow with the data
are also shown times as much.

Every measurement is a process of its own, files in the page cache. A sample is what a person's training sample needs
to know: video, frame number, box, part boxes and states; for mmdet, whose items are frames, all of the frame. Memory
of a worker is private memory (USS), when it has started and after an epoch over 100,000 samples by four workers, the
largest of the four; a loader of no annotations at all shows how much of that is Python's own.
The project's limits: 0.5 s to open, 60 MB a worker, 100 microseconds a sample.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import MB, in_turns, parser, private_bytes, report, run_measured
from real_size import VIDEOS, make_real_size
from tree import FRAMES as TREE_FRAMES
from tree import VIDEOS as TREE_VIDEOS
from tree import make_tree

from tpsparse.cli import DONE, positive, run
from tpsparse.structures.files import atomic_write

OPEN_LIMIT, WORKER_LIMIT, READ_LIMIT = 0.5, 60 * MB, 100e-6  # seconds, bytes, seconds
WORKERS, EPOCH, READS = 4, 100_000, 20_000
QUICK_TREE, QUICK_VIDEOS = (4, 80), {"train": 12, "test": 2}
COCO = "boxes_{share}.json"
ONE_FRAME = 0  # in place of a share
INDEX, PYCOCO, MMDET, NOTHING = "tpsparse index", "pycocotools", "mmdet CocoDataset", "no annotations at all"


class IndexSamples:
    """Annotations of persons by the index, as ``TPSPartDataset`` reads them; opening it is what is timed."""

    def __init__(self, root: Path, share: int) -> None:
        from tpsparse.datasets.index import open_index
        from tpsparse.taxonomy import Taxonomy

        self.index = open_index(root, "train", Taxonomy.from_root(root))
        self.persons = self.index.persons

    def __len__(self) -> int:
        return len(self.persons)

    def __getitem__(self, sample: int) -> tuple:
        person = int(self.persons[sample])
        frame = int(self.index.person_frame[person])
        entry = self.index.video_of(frame)
        parts, states = self.index.person_parts(person)
        return entry.path, int(self.index.frame_number[frame]), self.index.boxes[person].copy(), parts, states


class NoSamples:
    """What a worker grows by without any data: Python's collector touches, and so copies, what was imported."""

    def __init__(self, root: Path, share: int) -> None:
        self.rows = np.arange(EPOCH)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, sample: int) -> tuple:
        return (int(self.rows[sample]), *(np.zeros(shape, dtype=np.float32) for shape in (4, (10, 4), 10)))


class PycocoSamples:
    """Annotations of persons in pycocotools' dicts."""

    def __init__(self, root: Path, share: int) -> None:
        from pycocotools.coco import COCO as Coco

        self.coco = Coco(str(root / COCO.format(share=share)))
        self.persons = np.array(self.coco.getAnnIds(catIds=[1]))

    def __len__(self) -> int:
        return len(self.persons)

    def __getitem__(self, sample: int) -> tuple:
        person = self.coco.anns[int(self.persons[sample])]
        image = self.coco.imgs[person["image_id"]]
        found = [one for one in self.coco.imgToAnns[image["id"]] if one.get("person") == person["id"]]
        parts = np.array([one["bbox"] for one in found], dtype=np.float32)
        return image["file_name"], person["bbox"], parts, [(one["category_id"], one["state"]) for one in found]


class MmdetSamples:
    """Annotations of frames in mmdet's data set, which keeps them pickled in one array."""

    def __init__(self, root: Path, share: int) -> None:
        from mmdet.datasets import CocoDataset

        file = root / COCO.format(share=share)
        names = [one["name"] for one in _head_of(file)]
        self.dataset = CocoDataset(
            ann_file=str(file), data_prefix=dict(img=""), metainfo=dict(classes=tuple(names)), pipeline=[]
        )

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, sample: int) -> dict:
        return self.dataset[sample]


SAMPLES: dict[str, Callable[[Path, int], Any]] = {
    INDEX: IndexSamples,
    NOTHING: NoSamples,
    PYCOCO: PycocoSamples,
    MMDET: MmdetSamples,
}
SHARED = (PYCOCO, MMDET)  # given a share of the videos


def measure(name: str, root: Path, *, share: int, epoch: int) -> dict[str, Any]:
    """Open, read single samples, and read an epoch with workers, in this process.

    Args:
        name: Of :data:`SAMPLES`.
        root: The data set of real size.
        share: One video in so many is in the COCO file.
        epoch: Samples of the epoch, drawn with replacement where there are fewer.

    Returns:
        Seconds and bytes.
    """
    fixed = _warm_up(name, root)
    before, start, processor = private_bytes(), time.perf_counter(), time.process_time()
    samples = SAMPLES[name](root, share)
    opened, processor = time.perf_counter() - start, time.process_time() - processor
    result: dict[str, Any] = dict(fixed_s=fixed, open_s=opened, open_cpu_s=processor)
    result["open_bytes"] = private_bytes() - before
    rng = np.random.default_rng(0)
    times = []
    for sample in rng.integers(len(samples), size=min(READS, epoch)).tolist():
        start = time.perf_counter()
        samples[sample]
        times.append(time.perf_counter() - start)
    result.update(samples=len(samples), read_s=statistics.median(times), read_p99_s=float(np.quantile(times, 0.99)))
    result["workers"] = worker_memory(samples, rng.integers(len(samples), size=epoch).tolist())
    return result


def worker_memory(samples: Any, order: Sequence[int]) -> list[dict[str, int]]:
    """Private bytes of each loader worker when it has started and when an epoch has been read."""
    from torch.utils.data import DataLoader

    loader: DataLoader = DataLoader(
        samples,
        batch_size=64,
        sampler=order,
        num_workers=WORKERS,
        worker_init_fn=_note_start,
        collate_fn=_batch_with_memory,
        persistent_workers=True,
        multiprocessing_context="fork",
    )
    started: dict[int, int] = {}
    for pid, at_first in loader:
        started.setdefault(pid, at_first)
    return [{"start": at_first, "end": private_bytes(pid)} for pid, at_first in started.items()]


_STARTED: list[int] = []


def _note_start(worker: int) -> None:
    _STARTED.append(private_bytes())


def _batch_with_memory(batch: list[Any]) -> tuple[int, int]:
    """The worker's process and its private bytes when it started; what was read is dropped, as a model would."""
    return os.getpid(), _STARTED[0]


def _warm_up(name: str, root: Path) -> float:
    """Import what opening needs; the processor seconds a peer takes to open almost nothing, the same at every size."""
    if name not in SHARED:
        import torch.utils.data  # noqa: F401

        import tpsparse.datasets.index
        import tpsparse.taxonomy  # noqa: F401

        return 0.0
    SAMPLES[name](root, ONE_FRAME)
    start = time.process_time()
    SAMPLES[name](root, ONE_FRAME)
    return time.process_time() - start


def write_coco(root: Path, share: int) -> None:
    """Write one video in ``share``, or one frame, as COCO: a box an annotation, parts with state and person's id."""
    path = root / COCO.format(share=share)
    if path.is_file():
        return
    index = IndexSamples(root, share).index
    taxonomy = index.taxonomy
    names = ["person", *taxonomy.parts, *(f"object {name}" for name in taxonomy.objects)]
    categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
    with atomic_write(path) as partial_file, partial_file.open("w", encoding="utf-8") as file:
        # Categories first, so that they can be read without the rest.
        file.write(f'{{"categories": {json.dumps(categories)},\n')
        images, boxes = _coco_rows(index, range(0, len(index.videos), share) if share else range(1))
        if share == ONE_FRAME:
            images, boxes = images[:1], [box for box in boxes if box["image_id"] == images[0]["id"]]
        file.write(f'"images": {json.dumps(images)},\n"annotations": {json.dumps(boxes)}}}\n')


def _coco_rows(index: Any, videos: range) -> tuple[list[dict], list[dict]]:
    images: list[dict] = []
    boxes: list[dict] = []
    for position in videos:
        entry = index.videos[position]
        for frame in entry.frames:
            name = f"{entry.name}/img_{int(index.frame_number[frame]):05d}.jpg"
            image = {"id": len(images) + 1, "file_name": name, "height": entry.size[0], "width": entry.size[1]}
            images.append(image)
            _add_boxes(index, frame, image["id"], boxes)
    return images, boxes


def _add_boxes(index: Any, frame: int, image: int, boxes: list[dict]) -> None:
    def add(category: int, box: np.ndarray, **more: Any) -> int:
        x0, y0, x1, y1 = box.astype(float).tolist()
        place = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0}
        boxes.append({"id": len(boxes) + 1, "image_id": image, "category_id": category, **place, **more})
        return len(boxes)

    kinds = len(index.taxonomy.parts)
    persons = index.persons_of(frame)
    for person in range(persons.start, persons.stop):
        number = add(1, index.boxes[person])
        rows = index.parts_of(slice(person, person + 1))
        parts, states = index.part_labels(rows)
        for row, part, state in zip(range(rows.start, rows.stop), parts.tolist(), states.tolist()):
            add(2 + part, index.part_box[row], state=state, person=number)
    objects = index.objects_of(frame)
    for row, thing in zip(range(objects.start, objects.stop), index.object_id[objects].tolist()):
        add(2 + kinds + thing, index.object_box[row])


def _head_of(file: Path) -> list[dict[str, Any]]:
    """The categories of :func:`write_coco`."""
    with file.open(encoding="utf-8") as lines:
        return json.loads(lines.readline().rstrip().rstrip(",") + "}")["categories"]


def measure_apart(name: str, root: Path, *, share: int, epoch: int) -> dict[str, Any]:
    """:func:`measure` in a process of its own."""
    options = ["--data", str(root), "--coco-share", str(share), "--epoch", str(epoch)]
    done = run_measured([sys.executable, str(Path(__file__).resolve()), "--peer", name, *options])
    return json.loads(done.output.splitlines()[-1])


def prepare(data: Path, *, quick: bool, share: int) -> Path:
    """The data set of real size and its COCO file, made where they are not there."""
    from tpsparse.datasets.index import build_index

    videos, frames = QUICK_TREE if quick else (TREE_VIDEOS, TREE_FRAMES)
    tree, root = data / f"tree_{frames}", data / ("real_size_quick" if quick else "real_size")
    make_tree(tree, videos=videos, frames=frames, workers=1 if quick else None, progress=not quick)
    build_index(tree, workers=1 if quick else None, progress=not quick)
    make_real_size(root, tree, videos=QUICK_VIDEOS if quick else VIDEOS)
    for which in (ONE_FRAME, share):
        write_coco(root, which)
    return root


def rows_of(results: Mapping[str, Sequence[Mapping[str, Any]]], share: int) -> list[dict[str, Any]]:
    """One row a peer, and one more for what those that were given a share would need for everything."""
    rows = []
    for name, rounds in results.items():
        rows.append(_row(f"{name}, 1/{share} of the videos" if name in SHARED else name, rounds))
        if name in SHARED:
            rows.append(_whole_row(name, rounds, results[NOTHING], share))
    return rows


def _row(title: str, rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "loading": title,
        "open s": statistics.median(one["open_s"] for one in rounds),
        "open processor s": statistics.median(one["open_cpu_s"] for one in rounds),
        "open MB": statistics.median(one["open_bytes"] for one in rounds) / MB,
        "worker grows MB": statistics.median(_grown(one) for one in rounds) / MB,
        "worker at the end MB": max(worker["end"] for one in rounds for worker in one["workers"]) / MB,
        "sample us": statistics.median(one["read_s"] for one in rounds) * 1e6,
        "99 % of samples us": statistics.median(one["read_p99_s"] for one in rounds) * 1e6,
    }


def _whole_row(
    name: str, rounds: Sequence[Mapping[str, Any]], nothing: Sequence[Mapping[str, Any]], share: int
) -> dict[str, Any]:
    """What grows with the data, ``share`` times as much: not what opening any file takes, nor what any worker grows."""
    opened = [one["fixed_s"] + (one["open_cpu_s"] - one["fixed_s"]) * share for one in rounds]
    own, any_worker = (statistics.median(_grown(one) for one in which) for which in (rounds, nothing))
    # mmdet's workers read one pickled array, of which nothing is copied, however large it is.
    grown = own if name == MMDET else any_worker + max(own - any_worker, 0) * share
    row = _row(f"{name}, everything (calculated)", rounds)
    whole = {"open processor s": statistics.median(opened), "open MB": row["open MB"] * share}
    return {**row, "open s": "-", **whole, "worker grows MB": grown / MB, "worker at the end MB": "-"}


def _grown(one: Mapping[str, Any]) -> float:
    """Bytes by which the largest worker has grown."""
    return max(worker["end"] - worker["start"] for worker in one["workers"])


def limits_of(rounds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the project promises of the index beside the median round and, of workers, the largest of all."""
    grown = max(_grown(one) for one in rounds)
    held = max(worker["end"] for one in rounds for worker in one["workers"])
    opening, reading = (statistics.median(one[name] for one in rounds) for name in ("open_s", "read_s"))
    memory = f"under {WORKER_LIMIT / MB:.0f}"
    return [
        {"promise": "open, s", "limit": f"under {OPEN_LIMIT}", "measured": opening},
        {"promise": "private memory a worker adds in an epoch, MB", "limit": memory, "measured": grown / MB},
        {"promise": "all private memory of a worker, MB", "limit": memory, "measured": held / MB},
        {"promise": "one sample, us", "limit": f"under {READ_LIMIT * 1e6:.0f}", "measured": reading * 1e6},
    ]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    options.add_argument("--coco-share", type=positive, help="one video in so many is also written as COCO (20)")
    options.add_argument("--epoch", type=positive, default=EPOCH, help="samples that the workers read")
    options.add_argument("--peer", choices=sorted(SAMPLES), help=argparse.SUPPRESS)  # only this one, on --data
    args = options.parse_args(argv)
    share = args.coco_share or (3 if args.quick else 20)
    if args.peer:
        print(json.dumps(measure(args.peer, args.data, share=share, epoch=args.epoch)))
        return DONE
    root = prepare(args.data, quick=args.quick, share=share)
    epoch = 1000 if args.quick else args.epoch
    measured = measure if args.quick else measure_apart  # a quick run has them all in this process
    peers = {
        name: partial(measured, name, root, share=share, epoch=max(epoch // share, 1) if name in SHARED else epoch)
        for name in SAMPLES
    }
    results = in_turns(peers, 1 if args.quick else args.rounds)
    tables = {"Loading annotations": rows_of(results, share), "Limits of the index": limits_of(results[INDEX])}
    report("index_open", tables, file=args.json, coco_share=share, epoch=epoch, rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
