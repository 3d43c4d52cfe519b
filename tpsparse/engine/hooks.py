"""Hooks of every run: reproducible epochs, logged losses, time spent waiting, what was skipped, a progress bar."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from mmengine.dist import all_gather_object, all_reduce, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed
from tqdm import tqdm

from ..registry import HOOKS

WAITING, PASSING, SHARE = "train/data_time", "train/time", "train/data_share"
"""What is logged of an iteration: seconds until its data were there, seconds in all, and the ratio of their sums."""


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed dropout and every other draw of the model anew at each epoch.

    The state of the generators then follows from (seed, epoch, rank) alone: a run that is killed and resumed from
    its last epoch goes on as if it had never stopped, without storing any generator's state. It does not follow from
    the number of loader workers either.
    """

    priority = "VERY_HIGH"

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed Python, NumPy and torch."""
        set_random_seed(self._seed(runner))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Seed torch again once the first batch is there.

        A loader takes a number from torch's generator when it starts its workers, which is at each epoch or, with
        ``persistent_workers``, at a run's first alone: a resumed run would take one where another one takes none.
        """
        if batch_idx == 0:
            torch.manual_seed(self._seed(runner))
            torch.empty((), dtype=torch.int64).random_()  # as a loader does that starts none

    def _seed(self, runner: Runner) -> int:
        return (runner.seed + 1_000_003 * runner.epoch + get_rank()) % 2**31


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
class DataShareHook(Hook):
    """Log the share of its time in which training waits for data, and say so when it is large.

    ``data_share`` in the log is the sum of ``data_time`` over the sum of ``time`` of the last ``window`` iterations,
    from 0 to 1. Each run says once that an epoch's share was above the limit. The first of several epochs is not
    judged, in which workers start and videos are decoded that are kept afterwards.

    Args:
        limit: Share of an epoch's time above which the run says so.
        window: Iterations that the logged share is of.
        least: Seconds that an epoch must have waited; of a network whose epoch takes less nobody needs to be told.
    """

    priority = "NORMAL"  # behind IterTimerHook, which is registered before it, and before LoggerHook

    def __init__(self, limit: float = 0.1, window: int = 50, least: float = 1.0) -> None:
        self.limit, self.window, self.least = limit, window, least
        self.waited = self.passed = 0.0
        self.told = False

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin to count."""
        self.waited, self.passed = 0.0, 0.0

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Log the share; a loop without batches has none."""
        scalars = runner.message_hub.log_scalars
        if WAITING not in scalars:
            return
        waiting, passing = scalars[WAITING], scalars[PASSING]
        self.waited += waiting.current()
        self.passed += passing.current()
        # Both buffers have one value an iteration, so that the ratio of their means is that of their sums.
        share = waiting.mean(self.window) / max(passing.mean(self.window), 1e-9)
        runner.message_hub.update_scalar(SHARE, share)

    def after_train_epoch(self, runner: Runner) -> None:
        """Say so, with what to do about it."""
        judged = self.waited >= self.least and (runner.epoch > 0 or runner.max_epochs == 1)
        if self.told or not judged or self.waited <= self.limit * self.passed:
            return
        self.told = True
        workers = runner.train_dataloader.num_workers
        told = f"{self.waited / self.passed:.0%} of the time of epoch {runner.epoch + 1} was spent waiting for data"
        remedy = "with persistent_workers=True, or extract frames with tools/prepare_data.py"
        runner.logger.warning(f"{told}: raise train_dataloader.num_workers, now {workers}, {remedy}")


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
        """Advance, with the current loss and the share of time spent waiting for data."""
        if self.bar is not None:
            loss = outputs.get("loss") if isinstance(outputs, dict) else None
            if loss is not None and self.bar.n % 10 == 0:
                share = runner.message_hub.log_scalars.get(SHARE)
                waiting = {} if share is None else {"waiting": f"{share.current():.0%}"}
                loss = f"{float(loss.detach()):.3f}"
                self.bar.set_postfix(epoch=runner.epoch + 1, loss=loss, **waiting, refresh=False)
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
