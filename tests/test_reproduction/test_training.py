"""Networks side by side: in the order that they depend on each other, as many at a time as there are processes."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.reproduction import Network, training
from tpsparse.reproduction.training import train_side_by_side, with_sources


class FakePlace:
    """A workplace that knows what was trained."""

    def __init__(self, work_dir="work"):
        self.work_dir = Path(work_dir)
        self.done: dict[str, str] = {}

    def note(self, name, identity, result, seconds):
        self.done[name] = identity


class Fake:
    """A network that only has a name, a folder, and perhaps one that it starts from."""

    def __init__(self, place, name, source=None, folder=None):
        self.place, self.name, self.source = place, name, source
        self.folder = self.config = Path(folder or name)
        self.identity = f"{name} of {folder or name}"

    @property
    def trained(self):
        return self.place.done.get(f"train {self.name}") == self.identity

    def claim(self):
        pass

    def call(self):
        return dict(name=self.name)

    def train(self):
        self.place.note(f"train {self.name}", self.identity, {}, 0.0)


@pytest.fixture
def place():
    return FakePlace()


class TestOrder:
    def test_sources_come_first_and_once(self, place):
        first = Fake(place, "first")
        second = Fake(place, "second", first)
        alone, last, other = Fake(place, "alone"), Fake(place, "last", second), Fake(place, "other", first)
        again = Fake(place, "first")  # as another network finds it
        names = [network.name for network in with_sources([alone, last, other, Fake(place, "more", again)])]
        assert names == ["first", "second", "alone", "last", "other", "more"]

    def test_workplaces_are_kept_apart(self, place):
        elsewhere = FakePlace("elsewhere")
        networks = [Fake(each, "net", Fake(each, "base")) for each in (place, elsewhere)]
        assert [network.name for network in with_sources(networks)] == ["base", "base", "net", "net"]

    def test_nothing(self):
        assert with_sources([]) == []


class TestScheduler:
    """The real one, with threads that end when they are told to."""

    @pytest.fixture
    def run(self, monkeypatch):
        """Train with ``jobs`` at a time; gives what was started in order, after ``script`` has let them end."""
        started: list[str] = []
        gates: dict[str, threading.Event] = {}
        changed = threading.Condition()

        def work(call, line):
            with changed:
                started.append(call["name"])
                changed.notify_all()
            assert gates[call["name"]].wait(timeout=20)
            return dict(skipped=0), 1.0

        def wait_for(*names):
            with changed:
                assert changed.wait_for(lambda: set(names) <= set(started), timeout=20), (names, started)

        def call(networks, jobs, script):
            gates.update({network.name: threading.Event() for network in with_sources(networks)})
            monkeypatch.setattr(training, "spawned_pool", lambda jobs, threads: ThreadPoolExecutor(jobs))
            monkeypatch.setattr(training, "_train_in_worker", work)
            director = threading.Thread(target=script, args=(gates, wait_for, started))
            director.start()
            try:
                train_side_by_side(networks, jobs)
            finally:
                for gate in gates.values():
                    gate.set()
                director.join()
            return started

        return call

    def test_a_network_waits_for_its_own_source_alone(self, place, run):
        base = Fake(place, "base")
        networks = [Fake(place, "needs base", base), Fake(place, "long"), Fake(place, "short")]
        seen = []

        def script(gates, wait_for, started):
            wait_for("base", "long")
            seen.append(sorted(started))
            gates["base"].set()
            wait_for("needs base")  # while the long one, which it has nothing to do with, still runs
            gates["needs base"].set()
            wait_for("short")
            gates["long"].set(), gates["short"].set()

        assert run(networks, 2, script) == ["base", "long", "needs base", "short"]
        assert seen == [["base", "long"]] and set(place.done) == {f"train {n}" for n in gates_of(networks)}

    def test_processes_are_kept_busy(self, place, run):
        """The first two that are ready start, not the first two of the list."""
        base = Fake(place, "base")
        networks = [Fake(place, "x", base), Fake(place, "y", base), Fake(place, "free")]

        def script(gates, wait_for, started):
            wait_for("base", "free")
            for gate in gates.values():
                gate.set()

        assert sorted(run(networks, 2, script)[:2]) == ["base", "free"]

    def test_two_names_of_one_folder_do_not_train_together(self, place, run):
        networks = [Fake(place, "a", folder="same"), Fake(place, "a flipped", folder="same"), Fake(place, "b")]

        def script(gates, wait_for, started):
            wait_for("a", "b")
            gates["b"].set(), gates["a"].set()
            wait_for("a flipped")
            gates["a flipped"].set()

        assert run(networks, 3, script)[-1] == "a flipped"

    def test_trained_ones_are_passed_over(self, place, run):
        base = Fake(place, "base")
        base.train()
        networks = [Fake(place, "x", Fake(place, "base")), Fake(place, "y")]

        def script(gates, wait_for, started):
            for gate in gates.values():
                gate.set()

        assert sorted(run(networks, 2, script)) == ["x", "y"]

    def test_sources_of_one_name(self, place, run):
        networks = [Fake(place, name, Fake(place, "base", folder=f"{name}/base")) for name in ("x", "y")]

        def script(gates, wait_for, started):
            for gate in gates.values():
                gate.set()

        told = "config y starts from y/base, but y/base was trained with another config: rename one"
        with pytest.raises(InputError, match=told):
            run(networks, 2, script)

    def test_error_ends_it(self, place, monkeypatch):
        def pool(jobs, threads):
            made = ThreadPoolExecutor(jobs)
            made.submit = lambda *args: failed()
            return made

        def failed():
            future: Future = Future()
            future.set_exception(InputError("x is broken: mend it"))
            return future

        monkeypatch.setattr(training, "spawned_pool", pool)
        with pytest.raises(InputError, match="x is broken"):
            train_side_by_side([Fake(place, "x"), Fake(place, "y")], 2)
        assert place.done == {}


def gates_of(networks):
    return [network.name for network in with_sources(networks)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_for_real(narrow_parts, tiny_root, tmp_path, jobs):
    """A network that starts from another: trained after it, in this process or in others."""
    from tpsparse.engine import load_config
    from tpsparse.reproduction import Workplace

    source = narrow_parts(tmp_path / "source.py", tiny_root, **{"train_cfg.max_epochs": 1})
    config = narrow_parts(
        tmp_path / "net (ü).py",
        tiny_root,
        **{"train_cfg.max_epochs": 1, "optim_wrapper.optimizer.lr": 0.0, "optim_wrapper.optimizer.weight_decay": 0.0},
    )
    config.write_text(config.read_text() + f"\nstart_from = {str(source)!r}\nparam_scheduler = []\n")
    cfg = load_config(source, options={"test_split": "test", "train_split": "train"}, work_dir=tmp_path / "work")
    place = Workplace(cfg)
    network = Network(place, config)
    assert network.source is not None and network.source.folder == tmp_path / "work" / "source"
    train_side_by_side([network, Network(place, source)], jobs)
    assert set(place.record) == {"train source", "train net (ü)"} and network.trained
    old, new = (
        torch.load(tmp_path / "work" / name / "epoch_1.pth", weights_only=False)["state_dict"]
        for name in ("source", "net (ü)")
    )
    learnt = [name for name in old if name.endswith((".weight", ".bias"))]
    same = {name: torch.equal(old[name], new[name]) for name in learnt}
    assert all(value for name, value in same.items() if name.startswith("backbone."))
    # The head is drawn anew, and a rate of 0 leaves it; both are of one seed, so the drawn weights are moved in one.
    assert not all(value for name, value in same.items() if name.startswith(("part_head.", "state_head.")))
