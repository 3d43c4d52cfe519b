"""A folder in which networks are trained and systems tested, and the record of what was done there."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..datasets.index import TPSIndex, open_index
from ..datasets.instances import is_instance_root, open_instances
from ..datasets.layout import SPLITS, frames_folder
from ..engine import config_taxonomy, load_config
from ..parsing.actions import read_weights
from ..parsing.network import fingerprint
from ..structures.files import write_json
from ..structures.folder_lock import folder_lock

LOG = logging.getLogger("tpsparse")
Result = dict[str, Any]
# Top-level values of configs that say where other configs lie, and not what is computed.
PLACES = (
    *("filename", "floor", "quick", "configs", "stages", "out_dir"),
    *("start_from", "start_from_checkpoint", "given_weights", "segments_from", "segments", "weights_from"),
)
# What a training does not depend on: a config with another choice in testing has the same weights.
TESTING = ("test_dataloader", "test_evaluator", "test_pipeline", "test_cfg", "tta_model")
# What no result depends on: a sample is the same whichever process prepares it, and a hook only tells.
LOADERS = ("train_dataloader", "test_dataloader")
OF_WORKERS = ("persistent_workers", "prefetch_factor")
TELLING = ("data_share",)


class Workplace:
    """One folder, one data set, one seed: whatever shares its networks works here.

    ``steps.json`` in the folder remembers each step by name with a mark of the config and data that it was done with,
    so that a step is done once and an interrupted run goes on.

    Args:
        cfg: A loaded config that names the folder, the data set and its two splits.
        options: Overrides. Those of ``model.*`` are of the system alone, the others of every network as well.
        by_task: Further overrides of the networks of a task, by the folder of their configs.
    """

    def __init__(
        self,
        cfg: Config,
        options: dict[str, Any] | None = None,
        by_task: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.options = options or {}
        self.by_task = by_task or {}
        self.work_dir = Path(cfg.work_dir)
        self.taxonomy = config_taxonomy(cfg)
        self.data_root = cfg.data_root
        self.splits = {"train": cfg.train_split, "test": cfg.test_split}
        self.record_file = self.work_dir / "steps.json"
        self.record: dict[str, Any] = read_json(self.record_file)
        self._values: dict[tuple[str, str, bool], dict[str, Any]] = {}  # of configs, which a run asks for many times
        self.data = {kind: self.digest(split) for kind, split in self.splits.items()}

    @contextmanager
    def own(self) -> Iterator[None]:
        """Keep other runs out of the folder; what one has done since this one looked is known then.

        Raises:
            InputError: If another run is using it.
        """
        with folder_lock(self.work_dir):
            self.record = read_json(self.record_file)
            yield

    def network_options(self, config: Path) -> dict[str, Any]:
        """The overrides that concern a network."""
        shared = {key: value for key, value in self.options.items() if not key.startswith("model.")}
        return {**self.by_task.get(config.parent.name, {}), **shared}

    @property
    def parses_dir(self) -> Path:
        """Where saved parses lie that networks learn from."""
        return self.work_dir / "parses"

    @property
    def skipped(self) -> int:
        """How many items could not be used, over all steps that were done, here and in other processes."""
        return sum(step["result"].get("skipped", 0) for step in read_json(self.record_file).values())

    def index(self, kind: str) -> TPSIndex:
        """The videos that are trained on (``train``) or tested on (``test``)."""
        return open_index(self.data_root, self.splits[kind], self.taxonomy)

    def names(self, kind: str) -> set[str]:
        """Names of the videos that are trained on (``train``) or tested on (``test``)."""
        return {entry.name for entry in self.index(kind).videos}

    def digest(self, split: str) -> str:
        """Digest of any split of the data set, of videos or of instances in TAPOS's layout.

        Features of instances are not in it: which of those a network reads is its config's choice.
        """
        if is_instance_root(self.data_root):
            return fingerprint([open_instances(self.data_root, split).digest()])
        return data_digest(open_index(self.data_root, split, self.taxonomy))

    def mark(self, identity: Any) -> str:
        """What a step is recognised by: its identity and the training data."""
        return fingerprint([identity, self.data["train"]])

    def done(self, name: str, identity: Any) -> bool:
        """Whether the record says that a step was done with this identity and this data."""
        return self.record.get(name, {}).get("mark") == self.mark(identity)

    def step(self, name: str, identity: Any, work: Callable[[], Result]) -> Result:
        """Do ``work`` unless it was done; its result, which JSON can hold."""
        if self.done(name, identity):
            LOG.info("%s: done before", name)
            return self.record[name]["result"]
        LOG.info("%s: started", name)
        start = time.perf_counter()
        return self.note(name, identity, work(), time.perf_counter() - start)

    def forget(self, name: str) -> None:
        """Take a step that has to be done again out of the record."""
        self.record.pop(name, None)

    def note(self, name: str, identity: Any, result: Result, seconds: float) -> Result:
        """Put a step that is done into the record."""
        self.record[name] = dict(mark=self.mark(identity), seconds=round(seconds, 1), result=result)
        write_json(self.record_file, self.record)
        LOG.info("%s: done in %.0f s", name, seconds)
        return result

    def identity(
        self, config: str | Path, options: dict[str, Any], before: Sequence[Any] = (), *, training: bool = False
    ) -> Any:
        """What a result follows from: its config, wherever its folders lie, and the networks that it builds on.

        Args:
            config: Of the network or system.
            options: Overrides of it.
            before: What the predictions of each network follow from whose output is used.
            training: Leave out what concerns testing alone.
        """
        key = (str(config), json.dumps(options, sort_keys=True, default=str), training)
        if key not in self._values:
            self._values[key] = self._config_values(config, options, training)
        return [self._values[key], list(before)]

    def _config_values(self, config: str | Path, options: dict[str, Any], training: bool) -> dict[str, Any]:
        nowhere = dict(options, data_root="data", parses_dir="parses")
        # Labels follow from the training data, which the mark of a step names.
        filled = load_config(config, options=nowhere, work_dir="work", taxonomy=self.taxonomy, label_table={})
        cfg = filled.to_dict()
        for stage in cfg["model"].get("stages", []):
            if "config" in stage:
                stage["config"] = Path(stage["config"]).name
            if isinstance(stage.get("weights"), str):
                stage["weights"] = read_weights(stage["weights"])
        _forget_machine(cfg)
        if training:
            cfg["model"].pop("test_cfg", None)
        left_out = PLACES + TESTING * training
        return {key: value for key, value in cfg.items() if key not in left_out}


def _forget_machine(cfg: dict[str, Any]) -> None:
    """Take out how data are read and what is told, so that steps done with other numbers of workers are done."""
    for loader in (cfg[name] for name in LOADERS if cfg.get(name)):
        loader["num_workers"] = 0
        for key in OF_WORKERS:
            loader.pop(key, None)
    for hook in TELLING:
        cfg.get("default_hooks", {}).pop(hook, None)


def data_digest(index: TPSIndex) -> str:
    """Digest of all that a run reads of one split: videos, annotations, names, and extracted frames."""
    manifests = {split: read_json(frames_folder(index.root, split) / "frames.json") for split in SPLITS}
    return fingerprint([index.digest(), manifests])


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file; nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
