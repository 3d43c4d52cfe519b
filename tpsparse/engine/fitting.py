"""Learning without gradients: parsers that fit something to all training instances, alone or before their epochs.

One process fits, the main one, on all instances in the data set's order; the others wait and are then sent what it has
learned. So what is learned does not depend on the number of processes. The wait is as long as reading the features
takes, and must stay below ``env_cfg.dist_cfg.timeout``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from mmengine.dist import all_gather_object, broadcast, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from ..errors import InputError
from ..registry import HOOKS, LOOPS, MODEL_WRAPPERS

ASSIGNED = "assigned_boundaries"
"""Where a checkpoint has what :class:`AssignmentHook` keeps."""


@LOOPS.register_module()
class FitLoop(EpochBasedTrainLoop):
    """The training of a parser that has nothing but ``fit``: one pass over all instances, told as one epoch.

    It ends in ``epoch_1.pth`` and ``last_checkpoint`` like any other training, so tests, resuming and what comes after
    find it as usual; going on from it does nothing. The config has ``optim_wrapper = dict()``, which mmengine takes for
    no optimizer, and ``model_wrapper_cfg = dict(type="tpsparse.Unwrapped")``.

    Args:
        runner: The run.
        dataloader: Its training data; batches and sampler are not used, the number of workers is.

    Raises:
        InputError: If the model cannot be fitted to these instances.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict) -> None:
        super().__init__(runner, dataloader, max_epochs=1)
        self._max_iters = len(self.dataloader.dataset)

    def run_epoch(self) -> None:
        """Fit, and have the checkpoint written."""
        self.runner.call_hook("before_train_epoch")
        fit_model(self.runner, advance=self._advance)
        self._iter = self._max_iters
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _advance(self, number: int) -> None:
        # For the progress bar; there are neither losses nor a learning rate to log.
        self.runner.call_hook("after_train_iter", batch_idx=number)
        self._iter += 1


@HOOKS.register_module()
class FitHook(Hook):
    """Have a parser fit what needs no gradient before its first epoch.

    A training that goes on has it in its checkpoint.
    """

    def before_train(self, runner: Runner) -> None:
        """Fit, unless epochs have been trained already."""
        if runner.epoch == 0 and runner.iter == 0:
            total = len(runner.train_dataloader.dataset)
            with tqdm(total=total, desc="fit", disable=not is_main_process(), mininterval=_interval()) as bar:
                fit_model(runner, advance=lambda _: bar.update())


@HOOKS.register_module()
class AssignmentHook(Hook):
    """Rounds of a parser that improves its own targets: after some epochs it assigns boundaries to all instances anew.

    The parser has ``assigned``, boundaries by key of the instance, and ``assign(samples)``, which gives new ones. Each
    process assigns to a share of the instances. What is assigned is stored in checkpoints, so that a training that goes
    on learns from the same targets.

    Args:
        interval: Epochs of a round.

    Raises:
        InputError: If it is not positive.
    """

    priority = "NORMAL"  # before the checkpoint is saved

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise InputError(f"AssignmentHook has rounds of {interval} epochs: give it 1 or more")
        self.interval = interval

    def after_train_epoch(self, runner: Runner) -> None:
        """End a round; after the last epoch nobody would learn from another."""
        if not self.every_n_epochs(runner, self.interval) or runner.epoch + 1 >= runner.max_epochs:
            return
        model, dataset = _model_of(runner), runner.train_dataloader.dataset
        share = range(get_rank(), len(dataset), get_world_size())
        model.eval()
        found = model.assign(_samples(dataset, runner.train_dataloader.num_workers, share))
        model.train()
        model.assigned = {key: bounds for part in all_gather_object(found) for key, bounds in part.items()}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the boundaries into the checkpoint, as plain numbers."""
        checkpoint[ASSIGNED] = {key: list(bounds) for key, bounds in _model_of(runner).assigned.items()}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take them out again."""
        _model_of(runner).assigned = {key: list(bounds) for key, bounds in checkpoint.get(ASSIGNED, {}).items()}


@MODEL_WRAPPERS.register_module()
class Unwrapped:
    """No wrapper: in several processes too the model is used as it is.

    torch's DistributedDataParallel refuses a model without anything to train.
    """

    def __new__(cls, module: torch.nn.Module) -> Any:
        """The model itself."""
        return module


def fit_model(runner: Runner, *, advance: Callable[[int], None]) -> None:
    """Have the run's model ``fit`` all training instances, and give every process what it has learned.

    Args:
        runner: The run.
        advance: Called on the main process with the number of each instance that has been read.

    Raises:
        InputError: As the model's ``fit`` does.
    """
    model, loader = _model_of(runner), runner.train_dataloader
    if is_main_process():
        model.fit(_counted(_samples(loader.dataset, loader.num_workers), advance))
    for value in model.state_dict().values():
        broadcast(value)


def _samples(dataset: Dataset, workers: int, numbers: Iterable[int] | None = None) -> Iterator[tuple[Tensor, Any]]:
    """Features and sample of instances as ``PackInstance`` makes them, in order, on the CPU."""
    chosen = dataset if numbers is None else Subset(dataset, list(numbers))
    for item in DataLoader(chosen, batch_size=None, num_workers=workers, collate_fn=_as_it_is):
        yield item["inputs"], item["data_samples"]


def _as_it_is(item: Any) -> Any:
    return item


def _counted(samples: Iterable[tuple[Tensor, Any]], advance: Callable[[int], None]) -> Iterator[tuple[Tensor, Any]]:
    for number, sample in enumerate(samples):
        yield sample
        advance(number)


def _model_of(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _interval() -> float:
    """Seconds between two states of a bar, as for that of the training."""
    return 0.2 if sys.stderr.isatty() else 30
