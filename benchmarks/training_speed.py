r"""How long the quick networks' training iterations take, what share of them is spent waiting for data, and with bf16.

    python benchmarks/training_speed.py [--quick] [--bf16] [--only WORD ...] [--iterations 60] [--rounds 3]
    python benchmarks/training_speed.py --people work_dirs/studies/pcf_data --sports work_dirs/studies/tapos_data

Every quick config that learns by gradients is trained by ``tpsparse.apis.train``, as by ``tools/train.py``, for some
iterations; configs that train alike (a child that differs in testing alone) count once. Data are synthetic: generated
videos of people and sports with their flow and keypoints, and random features in the place of those that other
networks save. ``--people`` and ``--sports`` take data sets that are there; larger ones than a process keeps decoded
(0.5 GB) show what decoding costs. Each training is a process of its own with one thread, like those of a study.

The share is ``data_time / time`` of the log, sums over the iterations behind the first ones; the column ``cold`` is of
these first ones, in which workers start and what is kept afterwards is read: the first epoch where it is no longer than
the measurement, else eight iterations. With ``--bf16`` each config is trained in bfloat16 too, in turns, and the ratio
is that of the median time of an iteration without its waiting. Goals: a share below 0.1 with every config.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import REPOSITORY, in_turns, median_ratio, parser, report, run_measured

from tpsparse.cli import DONE, not_negative, positive, run

QUICK = REPOSITORY / "configs" / "quick"
TASKS = (
    *("person_detection", "pose_estimation", "part_detection", "part_parsing", "state_recognition"),
    *("action_recognition", "feature_fusion", "temporal_parsing"),
)
PEOPLE, FEW_PEOPLE = dict(actions=8, train=8, test=1, frames=90), dict(actions=2, train=2, test=1, frames=16)
SPORTS, FEW_SPORTS = dict(sports=8, train=6, val=1), dict(sports=2, train=1, val=1)
FLOW = dict(short_side=72, effort="quick")
FIRST = 8
"""Iterations at the start of a long epoch that are counted apart: more than a loader's workers fetch ahead."""
PRECISIONS = ("fp32", "bf16")
MOST_WAITING = 0.1


def trainings() -> dict[str, Path]:
    """Name to config of each quick training with gradients; of those that train alike, the first."""
    from mmengine.config import Config

    found: dict[str, Path] = {}
    for path in sorted(path for task in TASKS for path in (QUICK / task).glob("*.py")):
        cfg = Config.fromfile(path, lazy_import=False)
        if cfg.train_cfg.type == "FitLoop":
            continue
        model = {key: value for key, value in cfg.model.items() if key != "test_cfg"}
        decisive = [model, cfg.train_dataloader, cfg.optim_wrapper]
        found.setdefault(json.dumps(decisive, sort_keys=True, default=str), path)
    return {path.stem: path for path in found.values()}


def prepare(data: Path, people: Path | None, sports: Path | None, *, quick: bool) -> dict[str, Path]:
    """The two data sets with what is learned from them, made where they are not there; and a folder for the rest."""
    from tpsparse.datasets.flow import extract_flow
    from tpsparse.datasets.synthetic import write_dataset, write_sports

    size = "few" if quick else "many"
    made: dict[str, Any] = dict(workers=1 if quick else None, progress=not quick)
    if people is None:
        people = data / f"training_people_{size}"
        write_dataset(people, **(FEW_PEOPLE if quick else PEOPLE), **made)
        extract_flow(people, **FLOW, **made)
    if sports is None:
        sports = data / f"training_sports_{size}"
        write_sports(sports, **(FEW_SPORTS if quick else SPORTS), **made)
    return dict(people=people, sports=sports, made=data / f"training_made_{people.name}_{sports.name}")


def options_of(config: Path, places: Mapping[str, Path]) -> dict[str, Any]:
    """Overrides by which a config trains on the data sets, by itself; what it learns from is written if need be."""
    from mmengine.config import Config

    cfg = Config.fromfile(config, lazy_import=False)
    made = places["made"]
    root = places["sports" if "tapos" in cfg.data_root else "people"]
    options: dict[str, Any] = {"data_root": str(root), "parses_dir": str(made / config.stem)}
    kind = cfg.train_dataloader.dataset.type
    if cfg.get("start_from"):
        options["start_from"] = None
    if kind == "TPSPartDataset" and cfg.train_dataloader.dataset.get("keypoints"):
        options["train_dataloader.dataset.keypoints"] = str(root / "keypoints")
    if cfg.get("segments_from"):
        options["segments"] = str(made / "boundaries")
        _write_boundaries(root, made / "boundaries" / "train.json")
    if kind == "TAPOSFeatureDataset":
        options["train_dataloader.dataset.features"] = str(made / "features")
        _write_features(root, made / "features", cfg.model.get("channels", 256))
    if kind == "TPSFeatureDataset":
        if cfg.model.get("language"):
            options["model.language.file"] = str(made / "language.safetensors")
            _write_language(root, made / "language.safetensors", cfg.model.language)
        options["train_dataloader.dataset.parses"] = str(made / config.stem)
        _write_records(config, options, made / config.stem)
    return options


def _write_boundaries(root: Path, file: Path) -> None:
    """Sub-actions as annotated, in the place of those that a parser finds."""
    from tpsparse.datasets.instances import open_instances
    from tpsparse.structures.boundaries_file import Boundaries

    if not file.is_file():
        found = Boundaries("annotated")
        for instance in open_instances(root, "train").instances:
            found.add(instance.key, instance.num_frames, np.asarray(instance.boundaries))
        found.save(file)


def _write_features(root: Path, folder: Path, channels: int) -> None:
    from tpsparse.datasets.instances import open_instances
    from tpsparse.structures.features_file import save_features

    random = np.random.default_rng(0)
    for instance in open_instances(root, "train").instances:
        path = folder / instance.youtube_id / f"{instance.name}.safetensors"
        if not path.is_file():
            save_features(path, random.normal(size=(instance.num_frames, channels)), {"key": instance.key})


def _write_language(root: Path, file: Path, language: Mapping[str, Any]) -> None:
    from tpsparse.language import LanguageVectors, ModelIdentity
    from tpsparse.taxonomy import Taxonomy

    if file.is_file():
        return
    names, random, channels = Taxonomy.from_root(root), np.random.default_rng(0), language["channels"]
    pairs = random.normal(size=(len(names.parts), len(names.states), 2, channels))
    objects = random.normal(size=(len(names.objects) + 1, channels))
    kinds = dict(parts=names.parts, states=names.states, objects=names.objects)
    LanguageVectors(**kinds, model=ModelIdentity(language["model"]), part_states=pairs, objects_=objects).save(file)


def _write_records(config: Path, options: Mapping[str, Any], folder: Path) -> None:
    """Records of the training videos with random features of the sizes that a classifier takes."""
    import torch
    from mmengine.registry import init_default_scope

    from tpsparse.datasets.index import open_index
    from tpsparse.engine import config_taxonomy, load_config
    from tpsparse.registry import MODELS, SCOPE

    cfg = load_config(config, options=dict(options))
    index = open_index(cfg.data_root, "train", config_taxonomy(cfg))
    missing = [entry for entry in index.videos if not (folder / f"{entry.name}.safetensors").is_file()]
    if not missing:
        return
    init_default_scope(SCOPE)
    with torch.random.fork_rng():
        shapes = MODELS.build(cfg.model).feature_shapes(1, 1)
    random = np.random.default_rng(0)
    for entry in missing:
        _random_record(entry, shapes, cfg, random).save(folder / f"{entry.name}.safetensors")


def _random_record(entry: Any, shapes: Mapping[str, tuple[int, ...]], cfg: Any, random: np.random.Generator) -> Any:
    """Two persons in each frame, with the features of these shapes: (1, 1, D) of persons, (1, D) of frames, (D,)."""
    from tpsparse.datasets.tasks.features import STATE_FEATURE
    from tpsparse.structures import FrameParse, VideoParse

    def draw(*shape: int) -> np.ndarray:
        return random.random(shape, dtype=np.float32)

    parts, states = len(cfg.taxonomy["parts"]), len(cfg.taxonomy["states"])
    frames = []
    for number in range(1, entry.num_frames + 1):
        persons = {name: draw(2, s[-1]) for name, s in shapes.items() if len(s) == 3 and name != STATE_FEATURE}
        frames.append(
            FrameParse(
                number,
                np.tile(np.array([[0.0, 0, 20, 40]], np.float32), (2, 1)),
                scores=np.ones(2, np.float32),
                state_scores=draw(2, parts, states) if STATE_FEATURE in shapes else None,
                features={name: draw(shape[-1]) for name, shape in shapes.items() if len(shape) == 2},
                person_features=persons,
            )
        )
    record = VideoParse(entry.name, size=entry.size, num_frames=entry.num_frames, fps=entry.fps, frames=frames)
    record.features.update({name: draw(shape[-1]) for name, shape in shapes.items() if len(shape) == 1})
    return record


def first_of(epoch: int, iterations: int) -> int:
    """How many iterations at the start are counted apart, of epochs of so many."""
    return epoch if epoch <= iterations else FIRST


class _Enough(Exception):
    """So many iterations have been trained."""


def measure(config: Path, places: Mapping[str, Path], *, iterations: int, precision: str, workers: int | None) -> Any:
    """Train in this process; the seconds of each iteration and those it waited, its losses, and the loader's workers.

    Args:
        config: Of a training.
        places: As :func:`prepare` gives them.
        iterations: Behind the first ones.
        precision: ``fp32`` or ``bf16``.
        workers: Of the loader; None for the config's own.
    """
    from mmengine.hooks import Hook

    from tpsparse import apis
    from tpsparse.engine import load_config
    from tpsparse.registry import HOOKS

    @HOOKS.register_module(force=True)
    class EnoughHook(Hook):
        """End the training behind so many iterations, when they are logged."""

        priority = "VERY_LOW"

        def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
            if runner.iter + 1 >= first_of(len(runner.train_dataloader), iterations) + iterations:
                raise _Enough(runner)

    options = dict(options_of(config, places), train_precision=precision)
    if workers is not None:
        options["train_dataloader.num_workers"] = workers
        options["train_dataloader.persistent_workers"] = workers > 0
    with tempfile.TemporaryDirectory() as folder:
        cfg = load_config(config, options=options, work_dir=folder)
        cfg.train_cfg.max_epochs = FIRST + 2 * iterations  # each has an iteration or more
        cfg.default_hooks.checkpoint.interval = -1
        cfg.visualizer.vis_backends = []
        cfg.custom_hooks = [*cfg.custom_hooks, dict(type="EnoughHook")]
        try:
            runner = apis.train(cfg)
        except _Enough as told:
            runner = told.args[0]
        scalars = runner.message_hub.log_scalars
        values = {name: scalars[f"train/{name}"].data[0].tolist() for name in ("time", "data_time", "loss")}
        first = first_of(len(runner.train_dataloader), iterations)
        return dict(values, workers=runner.train_dataloader.num_workers, first=first)


def measure_apart(config: Path, places: Mapping[str, Path], **settings: Any) -> Any:
    """:func:`measure` in a process of its own."""
    given = {"config": str(config), "places": {name: str(path) for name, path in places.items()}, **settings}
    done = run_measured([sys.executable, str(Path(__file__).resolve()), "--one", json.dumps(given)])
    return json.loads(done.output.splitlines()[-1])


def shares(result: Mapping[str, Any]) -> tuple[float, float]:
    """Of the time, that spent waiting: behind the first iterations, and in them."""
    waited, passed, first = np.array(result["data_time"]), np.array(result["time"]), result["first"]
    return float(waited[first:].sum() / passed[first:].sum()), float(waited[:first].sum() / passed[:first].sum())


def busy(result: Mapping[str, Any]) -> float:
    """Median seconds of an iteration without its waiting."""
    return statistics.median((np.array(result["time"]) - np.array(result["data_time"]))[result["first"] :])


def row_of(name: str, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """A config's row; medians over the rounds.

    Raises:
        RuntimeError: If a loss is not finite.
    """
    rounds = results["fp32"]
    for result in (result for each in results.values() for result in each):
        if not all(map(math.isfinite, result["loss"])):
            raise RuntimeError(f"{name} has a loss that is not finite")
    warm, cold = (statistics.median(values) for values in zip(*map(shares, rounds)))
    row = {
        "config": name,
        "workers": rounds[0]["workers"],
        "ms": 1000 * statistics.median(statistics.median(one["time"][one["first"] :]) for one in rounds),
        "waiting": warm,
        "cold": cold,
    }
    if "bf16" in results:
        row["waiting, bf16"] = statistics.median(shares(one)[0] for one in results["bf16"])
        row["bf16 to fp32"] = median_ratio([busy(one) for one in results["bf16"]], [busy(one) for one in rounds])
    return row


def goal_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether the config that waits most stays below the goal."""
    most = max(rows, key=lambda row: row["waiting"])
    told = f"{100 * most['waiting']:.1f} % ({most['config']})"
    met = "yes" if most["waiting"] < MOST_WAITING else "no"
    return {"goal": f"waits below {100 * MOST_WAITING:.0f} %", "most": told, "met": met}


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    options = parser(__doc__)
    options.add_argument("--bf16", action="store_true", help="train in bfloat16 too")
    options.add_argument("--only", nargs="+", metavar="WORD", help="configs whose name has one of these in it")
    options.add_argument("--iterations", type=positive, default=60, help="behind the first ones")
    options.add_argument("--workers", type=not_negative, help="of the loader (default: each config's own)")
    options.add_argument("--people", type=Path, metavar="DIR", help="a data set with flow and keypoints")
    options.add_argument("--sports", type=Path, metavar="DIR", help="a data set of cut instances")
    options.add_argument("--one", help=argparse.SUPPRESS)  # only this training, and its numbers as JSON
    args = options.parse_args(argv)
    if args.one:
        given = json.loads(args.one)
        places = {name: Path(path) for name, path in given.pop("places").items()}
        print(json.dumps(measure(Path(given.pop("config")), places, **given)))
        return DONE
    places = prepare(args.data, args.people, args.sports, quick=args.quick)
    settings = dict(iterations=3 if args.quick else args.iterations, workers=args.workers)
    work = measure if args.quick else measure_apart
    results: dict[str, Any] = {}
    for name, config in trainings().items():
        if args.only and not any(word in name for word in args.only):
            continue
        precisions = PRECISIONS[: 1 + args.bf16]
        peers = {each: partial(work, config, places, precision=each, **settings) for each in precisions}
        results[name] = in_turns(peers, 1 if args.quick else args.rounds)
        print(row_of(name, results[name]), file=sys.stderr, flush=True)
    rows = [row_of(name, each) for name, each in results.items()]
    tables = {"Goal": [goal_of(rows)] if rows else [], "Training iterations": rows}
    report("training_speed", tables, file=args.json, **settings, rounds=results)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
