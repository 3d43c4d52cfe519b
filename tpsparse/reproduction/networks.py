"""Single networks in a workplace: what their weights follow from, trained, and measured."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .. import apis
from ..engine import load_config
from ..engine.config import network_name
from ..errors import InputError
from ..parsing.network import file_digest, find_checkpoint
from ..registry import DATASETS
from ..structures.files import MADE_BY, write_json
from .workplace import LOG, Result, Workplace, read_json

# Arguments of data sets that say where something lies; whether it is there at all decides, its folder does not.
PLACED = ("data_root", "parses", "keypoints", "features", "segments")
# What two trainings must have in common to give the same network, whatever they ran on: processes, precision, folders.
DECISIVE: dict[str, Callable[[Config], Any]] = {
    "seed": lambda cfg: cfg.randomness.seed,
    "model": lambda cfg: {key: value for key, value in cfg.model.items() if key != "test_cfg"},
    "start": lambda cfg: Path(cfg.get("start_from") or "").stem,
    "segments": lambda cfg: Path(cfg.get("segments_from") or "").stem,
    "optimizer": lambda cfg: cfg.optim_wrapper.get("optimizer"),
    "schedule": lambda cfg: [cfg.train_cfg, cfg.param_scheduler],
    "training data": lambda cfg: {
        key: value is not None if key in PLACED else value
        for key, value in cfg.train_dataloader.dataset.items()
        if key not in PLACED or value is not None
    },
}


class Network:
    """One network: its config as the workplace trains it, and the steps that lead to its weights.

    It *learns from records* if its training data set names a folder below ``@parses_dir``: features of earlier stages,
    or the keypoints that they have found. A system fills that folder by the stages before the network's own. Its own
    test may name another such folder, which is filled with the test videos before it is measured; ``@parses_dir/test``
    is where a system's own test leaves its records, and a network that is tested on these is measured as part of the
    system alone.

    It may *start from* another network, which its config names in ``start_from``, or look along the *segments* that
    another one finds, named in ``segments_from``; that one is then trained first, in the folder beside its own.

    Args:
        place: Where it is trained.
        config: Its training config.
        checkpoint: Folder of its run; by default ``WORK_DIR/<name>``.
        options: Those it is trained with besides the workplace's: ``train_options`` of its stage.

    Attributes:
        reads: Which argument of its data set names the records that it learns from; None if it does not.
        parses: The folder of these records.
        test_parses: That of the records that it is measured on, if it is measured alone.
        before: The networks that these records follow from.
        made_by: What else they follow from: stages without a network, given weights.
    """

    def __init__(
        self,
        place: Workplace,
        config: str | Path,
        checkpoint: str | Path | None = None,
        *,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.place, self.config = place, Path(config)
        self.options = {**place.network_options(self.config), **(options or {})}
        self.name = network_name(config, options)
        self.folder = Path(checkpoint or place.work_dir / self.name)
        self.cfg = load_config(**self.call())
        self.source = self._source()
        self.reads, self.parses = self._records("train_dataloader")
        _, tested_on = self._records("test_dataloader")
        self.test_parses = None if tested_on == str(place.parses_dir / "test") else tested_on
        self.before: list[Network] = []
        self.made_by: Any = None

    def learn_from(self, before: Sequence[Network], made_by: Any) -> None:
        """Say what its records follow from: networks and, in any other form, the rest; None for nothing."""
        # Networks that learn from the same records do not see each other's output.
        self.before, self.made_by = [network for network in before if network.parses != self.parses], made_by

    @property
    def identity(self) -> Any:
        """What its weights follow from."""
        before = [network.tested for network in self.before]
        before += [self.made_by] * (self.made_by is not None)
        if self.source is not None:
            before.append(self.source.identity)
            if self.cfg.get("segments_from"):  # where the segments lie follows from how that network is tested, too
                before.append(self.place.identity(self.source.config, self.source.options))
        elif self.cfg.get("start_from_checkpoint"):
            before.append(file_digest(find_checkpoint(self.cfg.start_from_checkpoint, str(self.config))))
        before += self._features()
        return self.place.identity(self.config, self.options, before, training=True)

    @property
    def tested(self) -> Any:
        """What its predictions follow from: its weights, and how it is tested."""
        mark = self.place.record.get(f"train {self.name}", {}).get("mark")
        return [mark, self.place.identity(self.config, self.options)]

    @property
    def trained(self) -> bool:
        """Whether its training is done."""
        return self.place.done(f"train {self.name}", self.identity)

    @property
    def measured(self) -> bool:
        """Whether its test is done."""
        return self.place.done(f"measure {self.name}", self._measured_from)

    @property
    def is_measured_alone(self) -> bool:
        """Whether it has a test of its own, rather than as part of a system alone."""
        return self.parses is None or self.test_parses is not None

    def call(self) -> dict[str, Any]:
        """Arguments of ``load_config`` for its training."""
        options = dict(self.options, parses_dir=str(self.place.parses_dir))
        return dict(path=str(self.config), options=options, work_dir=str(self.folder))

    def load(self) -> Config:
        """Its config, as it is trained here, to be changed at will."""
        return copy.deepcopy(self.cfg)

    def train(self) -> Result:
        """Train it in this process, unless that was done; what it starts from must have been trained."""
        return self.place.step(f"train {self.name}", self.identity, self._train)

    def measure(self) -> Result:
        """Test it by its own metric, unless that was done; nothing if the test split has no annotations."""
        if not self._can_be_measured():
            LOG.info("measure %s: left out, the test split has no annotations", self.name)
            return dict(metrics={}, skipped=0)
        return self.place.step(f"measure {self.name}", self._measured_from, self._measure)

    @property
    def finished(self) -> bool:
        """Whether its folder holds the checkpoint of the last epoch, whoever trained it."""
        last = self.folder / "last_checkpoint"
        epochs = self.cfg.train_cfg.get("max_epochs", 1)  # fitting is one
        return last.is_file() and Path(last.read_text().strip()).stem == f"epoch_{epochs}"

    def claim(self) -> None:
        """Refuse to go on from weights that were trained otherwise."""
        mark = self.place.mark(self.identity)
        known = read_json(self.folder / "trained_from.json")
        others = [] if known else self._differences()
        if others or (known and known.get("mark") != mark):
            told = f"{self.folder} was trained with another config or data" + f" ({', '.join(others)})" * bool(others)
            raise InputError(f"{told}: remove it or give another --work-dir")
        write_json(self.folder / "trained_from.json", dict(mark=mark))

    @property
    def _measured_from(self) -> Any:
        return [self.tested, self.place.data["test"]]

    def _source(self) -> Network | None:
        """The network that it follows, beside its own folder, where :func:`tpsparse.apis.train` looks for it."""
        named = self.cfg.get("segments_from")
        if self.cfg.get("start_from") and not self.cfg.get("start_from_checkpoint"):
            named = self.cfg.start_from
        if not named:
            return None
        config = Path(named)
        return Network(self.place, config, self.folder.parent / config.stem)

    def _features(self) -> list[Any]:
        """By what the features of instances were made that it learns from, if it learns from such."""
        folder = self.cfg.get("train_dataloader", {}).get("dataset", {}).get("features")
        return [read_json(Path(folder) / MADE_BY)] if folder else []

    def _records(self, loader: str) -> tuple[str | None, str | None]:
        """The argument of a loader's data set that names a folder of saved parses, and the folder; None without one."""
        dataset = self.cfg.get(loader, {}).get("dataset", {})
        below = f"{self.place.parses_dir}/"
        return next((item for item in dataset.items() if str(item[1]).startswith(below)), (None, None))

    def _differences(self) -> list[str]:
        """What is set otherwise in the config that a training by tools/train.py has left in the folder, if one has."""
        file = self.folder / self.config.name
        if not file.is_file():
            return []
        left = Config.fromfile(file, lazy_import=False)
        return [name for name, of in DECISIVE.items() if _plain(of(left)) != _plain(of(self.cfg))]

    def _train(self) -> Result:
        self.claim()
        return train_network(self.call())

    def _can_be_measured(self) -> bool:
        dataset = DATASETS.get(self.cfg.test_dataloader.dataset.type)
        return not dataset.needs_annotations or len(self.place.index("test").frames) > 0

    def _measure(self) -> Result:
        metrics, runner = apis.test(self.load())
        return dict(metrics=metrics, skipped=len(runner.test_dataloader.dataset.problems))


def train_network(call: dict[str, Any], line: int = 0) -> Result:
    """Train a network, or go on training it.

    Args:
        call: Arguments of ``load_config``.
        line: Which line of the terminal its progress bar takes.
    """
    cfg = load_config(**call)
    cfg.progress_line = line
    return dict(skipped=len(apis.train(cfg, resume=True).train_dataloader.dataset.problems))


def _plain(value: Any) -> Any:
    """A part of a config as JSON has it: a dumped config has lists in place of some tuples."""
    return json.loads(json.dumps(value, default=str))
