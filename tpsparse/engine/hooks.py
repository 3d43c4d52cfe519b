"""Hooks of every run: reproducible epochs, logged losses, what was skipped, and a progress bar."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from mmengine.dist import all_gather_object, all_reduce, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed
from tqdm import tqdm

from ..registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed dropout and every other draw of the model anew at each epoch.

    The state of the generators then follows from (seed, epoch, rank) alone: a run that is killed and resumed from
    its last epoch goes on as if it had never stopped, without storing any generator's state.
    """

    priority = "VERY_HIGH"

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed Python, NumPy and torch."""
        set_random_seed((runner.seed + 1_000_003 * runner.epoch + get_rank()) % 2**31)


@HOOKS.register_module()
class MeanOverProcessesHook(Hook):
    """Log the mean of each loss and accuracy over the processes; mmengine logs those of the first process alone.

    The mean is what the average of the gradients is the gradient of. It costs one small message an iteration, and
    nothing in a single process. All processes must have the same losses, as distributed training needs anyway.
    """

    priority = "HIGHEST"  # RuntimeInfoHook, which takes the values for the log, is the next

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Put the means in place of this process's values."""
        if get_world_size() == 1 or not outputs:
            return
        names = sorted(outputs)
        means = torch.stack([outputs[name].detach().float().mean() for name in names])
        all_reduce(means, "mean")
        outputs.update(zip(names, means))


@HOOKS.register_module()
class ProblemHook(Hook):
    """Tell at the end of a run which items of its data set could not be used, and how many."""

    priority = "LOWEST"

    def after_train(self, runner: Runner) -> None:
        """Tell of the training set."""
        self._tell(runner.train_dataloader.dataset, "training set")

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Take in the videos that a parsing run could not parse."""
        dataset = runner.test_dataloader.dataset
        for path, parse in zip((data_batch or {}).get("video", ()), outputs or ()):
            error = getattr(parse, "error", None)
            if error is not None and hasattr(dataset, "problems"):
                dataset.problems.add("video", Path(path), error.removeprefix(f"{path} "))

    def after_test(self, runner: Runner) -> None:
        """Tell of the test set."""
        self._tell(runner.test_dataloader.dataset, "test set")

    def _tell(self, dataset: object, title: str) -> None:
        problems = getattr(dataset, "problems", None)
        if problems is None:
            return
        for others in all_gather_object(list(problems)):
            problems.update(others)
        if is_main_process():
            problems.report(title)


@HOOKS.register_module()
class ProgressHook(Hook):
    """A progress bar with an estimate over the iterations of training, validation and testing."""

    priority = "LOW"

    def __init__(self) -> None:
        self.bar: tqdm | None = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar over all iterations, a resumed part counted as done."""
        self._open(runner, "train", runner.max_iters, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Advance, with the current loss."""
        if self.bar is not None:
            loss = outputs.get("loss") if isinstance(outputs, dict) else None
            if loss is not None and self.bar.n % 10 == 0:
                self.bar.set_postfix(epoch=runner.epoch + 1, loss=f"{float(loss.detach()):.3f}", refresh=False)
            self.bar.update()

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self._close()

    def before_test(self, runner: Runner) -> None:
        """Open the bar over the batches of the test set."""
        self._open(runner, "test", len(runner.test_dataloader), 0)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Advance."""
        if self.bar is not None:
            self.bar.update()

    def after_test_epoch(self, runner: Runner, metrics=None) -> None:
        """Close the bar before the metrics are printed."""
        self._close()

    def _open(self, runner: Runner, phase: str, total: int, done: int) -> None:
        if is_main_process():
            self.bar = tqdm(
                total=total,
                initial=done,
                desc=f"{phase} {runner.cfg.get('title', runner.experiment_name)}",
                position=runner.cfg.get("progress_line", 0),  # runs side by side have a line each
                # Without a terminal a line is printed every half minute instead of many a second.
                mininterval=0.2 if sys.stderr.isatty() else 30,
                maxinterval=60,
            )

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
