from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub

from tpsparse.datasets.problems import ProblemLog
from tpsparse.engine import hooks
from tpsparse.engine.hooks import DataShareHook, EpochSeedHook, MeanOverProcessesHook, ProblemHook, ProgressHook


def draws() -> tuple[float, float, float]:
    return random.random(), np.random.random(), torch.rand(1).item()


class TestEpochSeed:
    def after(self, seed, epoch):
        EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
        return draws()

    def test_follows_from_seed_and_epoch_alone(self):
        first = self.after(0, 2)
        draws()
        assert self.after(0, 2) == first

    @pytest.mark.parametrize(("seed", "epoch"), [(1, 2), (0, 3), (2**31 - 1, 50)])
    def test_other_runs_and_epochs_draw_otherwise(self, seed, epoch):
        one, two = self.after(0, 2), self.after(seed, epoch)
        assert all(a != b for a, b in zip(one, two, strict=True))

    def test_processes_draw_otherwise(self, monkeypatch):
        first = self.after(0, 0)
        monkeypatch.setattr(hooks, "get_rank", lambda: 1)
        assert self.after(0, 0) != first

    def test_comes_before_the_hooks_that_draw(self):
        assert EpochSeedHook.priority == "VERY_HIGH"


class TestMeanOverProcesses:
    def log(self, monkeypatch, outputs, *, processes):
        """What is logged where every other process has a tenth of this one's values."""

        def all_reduce(values, how):
            assert how == "mean"
            values.mul_((1 + 0.1 * (processes - 1)) / processes)

        monkeypatch.setattr(hooks, "get_world_size", lambda: processes)
        monkeypatch.setattr(hooks, "all_reduce", all_reduce)
        MeanOverProcessesHook().after_train_iter(SimpleNamespace(), 0, outputs=outputs)
        return outputs

    def test_mean(self, monkeypatch):
        outputs = dict(loss=torch.tensor(2.0, requires_grad=True), acc=torch.tensor([40]))
        found = self.log(monkeypatch, outputs, processes=2)
        assert list(found) == ["loss", "acc"] and not found["loss"].requires_grad
        assert found["loss"].item() == pytest.approx(1.1) and found["acc"].item() == pytest.approx(22)

    def test_one_process_keeps_its_tensors(self, monkeypatch):
        loss = torch.tensor(2.0, requires_grad=True)
        assert self.log(monkeypatch, dict(loss=loss), processes=1)["loss"] is loss

    @pytest.mark.parametrize("outputs", [None, {}])
    def test_nothing_to_log(self, monkeypatch, outputs):
        assert self.log(monkeypatch, outputs, processes=2) == outputs

    def test_every_run_has_it(self):
        runtime = Path(__file__).resolve().parents[2] / "configs" / "_base_" / "runtime.py"
        names = [hook["type"] for hook in Config.fromfile(runtime).custom_hooks]
        assert names.count("MeanOverProcessesHook") == 1

    def test_comes_before_what_is_logged_is_taken(self):
        from mmengine.hooks import RuntimeInfoHook
        from mmengine.runner import get_priority

        assert get_priority(MeanOverProcessesHook.priority) < get_priority(RuntimeInfoHook.priority)


class TestDataShare:
    def run(self, name, epochs, *, workers=0, limit=0.1, window=50):
        """Epochs of (waited, in all) seconds of each iteration; the shares that are logged, and the warnings."""
        hub, told = MessageHub(name), []
        runner = SimpleNamespace(
            message_hub=hub,
            max_epochs=len(epochs),
            train_dataloader=SimpleNamespace(num_workers=workers),
            logger=SimpleNamespace(warning=told.append),
        )
        hook = DataShareHook(limit, window)
        for runner.epoch, iterations in enumerate(epochs):
            hook.before_train_epoch(runner)
            for waited, passed in iterations:
                hub.update_scalar("train/data_time", waited)
                hub.update_scalar("train/time", passed)
                hook.after_train_iter(runner, 0)
            hook.after_train_epoch(runner)
        shares = hub.log_scalars.get("train/data_share")
        return [] if shares is None else shares.data[0].tolist(), told

    def test_share_is_that_of_the_last_iterations(self):
        shares, told = self.run("share", [[(0.1, 0.2), (0.0, 0.2), (0.05, 0.05)]], window=2)
        assert shares == pytest.approx([1 / 2, 1 / 4, 0.05 / 0.25]) and told == []

    def test_told_once_with_a_remedy(self):
        much = [(0.3, 1.0)] * 20
        _, told = self.run("once", [much, much, much], workers=1)
        assert told == [
            "30% of the time of epoch 2 was spent waiting for data: raise train_dataloader.num_workers, now 1, "
            "with persistent_workers=True, or extract frames with tools/prepare_data.py"
        ]

    @pytest.mark.parametrize(
        ("waited", "count", "epochs", "warned"),
        [
            (0.125, 20, 2, False),  # exactly at the limit, in numbers that floats have
            (0.1251, 20, 2, True),
            (0.5, 2, 2, True),  # a second in all
            (0.499, 2, 2, False),  # less: not worth telling
            (0.5, 20, 1, True),  # the only epoch is judged
        ],
    )
    def test_when_it_is_told(self, waited, count, epochs, warned):
        _, told = self.run(f"when {waited} {count}", [[(waited, 1.0)] * count] * epochs, limit=0.125)
        assert len(told) == warned

    def test_first_of_several_epochs_is_not_judged(self):
        assert self.run("first", [[(0.9, 1.0)] * 30, [(0.01, 1.0)] * 30])[1] == []

    def test_a_loop_without_batches(self):
        hub = MessageHub("none")
        hook, runner = DataShareHook(), SimpleNamespace(message_hub=hub, epoch=0, max_epochs=1)
        hook.before_train_epoch(runner)
        hook.after_train_iter(runner, 0)
        hook.after_train_epoch(runner)
        assert "train/data_share" not in hub.log_scalars

    def test_stands_between_the_clock_and_the_log(self):
        from mmengine.hooks import IterTimerHook, LoggerHook
        from mmengine.runner import get_priority

        place = get_priority(DataShareHook.priority)
        # Hooks of one priority come in the order of their registration, and mmengine's own come first.
        assert get_priority(IterTimerHook.priority) <= place < get_priority(LoggerHook.priority)


class TestProblems:
    def run(self, monkeypatch, dataset, *, rank=0, others=()):
        told: list[str] = []
        monkeypatch.setattr(ProblemLog, "report", lambda log, title: told.append(f"{title}: {len(log)}"))
        monkeypatch.setattr(hooks, "is_main_process", lambda: rank == 0)
        monkeypatch.setattr(hooks, "all_gather_object", lambda own: [own, *others])
        loader = SimpleNamespace(dataset=dataset)
        runner = SimpleNamespace(train_dataloader=loader, test_dataloader=loader)
        ProblemHook().after_train(runner)
        ProblemHook().after_test(runner)
        return told

    def test_told_at_the_end(self, monkeypatch):
        log = ProblemLog()
        log.add("video", "a.mp4", "is empty")
        dataset = SimpleNamespace(problems=log)
        assert self.run(monkeypatch, dataset) == ["training set: 1", "test set: 1"]

    def test_those_of_other_processes_count_once(self, monkeypatch):
        here, there = ProblemLog(), ProblemLog()
        here.add("video", "a.mp4", "is empty")
        there.add("video", "a.mp4", "is empty")
        there.add("sample", "b.mp4", "is truncated")
        dataset = SimpleNamespace(problems=here)
        assert self.run(monkeypatch, dataset, others=[list(there)]) == ["training set: 2", "test set: 2"]

    def test_only_the_main_process_tells(self, monkeypatch):
        assert self.run(monkeypatch, SimpleNamespace(problems=ProblemLog()), rank=1) == []

    def test_data_sets_of_others(self, monkeypatch):
        assert self.run(monkeypatch, [1, 2, 3]) == []


class TestProgress:
    def runner(self, **kwargs):
        cfg = {"title": "persons"}
        loader = [1, 2, 3]
        given = dict(cfg=cfg, experiment_name="e", max_iters=6, iter=0, epoch=0, test_dataloader=loader)
        given["message_hub"] = MessageHub(f"progress {kwargs}")
        return SimpleNamespace(**{**given, **kwargs})

    def test_training_counts_what_was_resumed(self):
        hook, runner = ProgressHook(), self.runner(iter=4)
        hook.before_train(runner)
        assert (hook.bar.n, hook.bar.total, hook.bar.desc) == (4, 6, "train persons")
        for step in range(2):
            hook.after_train_iter(runner, step, outputs={"loss": torch.tensor(0.5, requires_grad=True)})
        assert hook.bar.n == 6
        runner.message_hub.update_scalar("train/data_share", 0.042)
        hook.bar.n = 10
        hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(0.5)})
        assert hook.bar.postfix == "epoch=1, loss=0.500, waiting=4%"
        hook.after_train(runner)
        assert hook.bar is None

    def test_testing(self):
        hook, runner = ProgressHook(), self.runner()
        hook.before_test(runner)
        assert hook.bar.total == 3
        hook.after_test_iter(runner, 0)
        assert hook.bar.n == 1
        hook.after_test_epoch(runner)
        assert hook.bar is None

    def test_other_processes_show_nothing(self, monkeypatch):
        monkeypatch.setattr(hooks, "is_main_process", lambda: False)
        hook, runner = ProgressHook(), self.runner()
        hook.before_train(runner)
        hook.after_train_iter(runner, 0)
        hook.after_train(runner)
        assert hook.bar is None


def test_videos_that_fail_in_parsing_are_problems():
    log = ProblemLog()
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=SimpleNamespace(problems=log)))
    batch = {"video": ["x/a.mp4", "x/b.mp4"]}
    parses = [SimpleNamespace(error=None), SimpleNamespace(error="x/b.mp4 ends after frame 3: replace it")]
    ProblemHook().after_test_iter(runner, 0, batch, parses)
    ProblemHook().after_test_iter(runner, 0, {"inputs": []}, [SimpleNamespace()])  # a network's own test
    assert [str(problem) for problem in log] == ["x/b.mp4: ends after frame 3: replace it (skipped: video)"]
