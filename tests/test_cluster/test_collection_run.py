"""How a run goes through a collection, with workers in this process that die when a test says so."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter, deque
from functools import partial

import pytest
from cheap_system import CheapSystem, refuses

from tpsparse.cluster import Collection, Folder
from tpsparse.cluster import run as running
from tpsparse.cluster.folder import Item
from tpsparse.cluster.pool import Died
from tpsparse.cluster.run import Rules, Run
from tpsparse.cluster.work import Choices, Ready, Refused, Worker
from tpsparse.errors import InputError
from tpsparse.structures import VideoParse

QUIET = Rules(progress=False)
KILLED = Died("killed")


class ScriptedPool:
    """Workers of this process.

    Args:
        deaths: Name of a video, or of a worker's number while it starts, to what happens to workers that have it, one
            after the other; None is an ordinary end.
        silent: Workers that never begin, as on a busy cluster.
    """

    def __init__(self, out, workers=2, *, make=CheapSystem, choices=Choices(), deaths=None, silent=()):  # noqa: B008
        self.workers, self.silent = workers, silent
        self.deaths = {name: deque(events) for name, events in (deaths or {}).items()}
        self.given, self.started, self.killed = [], Counter(), []
        self._events, self._make, self._out, self._choices = deque(), make, str(out), choices
        self._workers, self._held = {}, {}

    def start(self, worker):
        self.started[worker] += 1
        self._workers[worker] = Worker(self._make, self._out, self._choices, threads=1, cwd=os.getcwd())
        if worker not in self.silent:
            self._happen(worker, worker, self._workers[worker].start)

    def submit(self, worker, item, identity):
        name = os.path.splitext(os.path.basename(item.path))[0]
        self.given.append(name)
        if name == "held":
            self._held[worker] = item
        else:
            self._happen(worker, name, partial(self._workers[worker].parse, item, identity))

    def wait(self, seconds):
        assert self._events or self._held, "a run that waits for nothing"
        if not self._events:
            time.sleep(0.01)
            return []
        return [self._events.popleft()]

    def kill(self, worker):
        self.killed.append(worker)
        del self._held[worker]
        self._events.append((worker, Died("killed by the driver")))

    def about(self):
        return dict(workers=self.workers)

    def _happen(self, worker, name, ordinary):
        events = self.deaths.get(name)
        event = events.popleft() if events else None
        self._events.append((worker, ordinary() if event is None else event))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def parse(tmp_path, out):
    """Run over a list of these paths, or over all videos of the test; the pool and what the summary says."""

    def call(*paths, rules=QUIET, **changes):
        source = tmp_path / "videos"
        if paths:
            source = tmp_path / "list.txt"
            source.write_text("".join(f"{path}\n" for path in paths))
        pool = ScriptedPool(out, choices=rules.choices, **changes)
        folder = Folder(out)
        with folder.claimed():
            Run(Collection(source), folder, pool, rules=rules, about=dict(config="cheap.py")).run()
        return pool, json.loads((out / "summary.json").read_text())

    return call


def counts(summary):
    names = ("inputs", "parsed", "failed", "set_aside", "missing", "duplicates", "left")
    found = {name: summary[name] for name in names}
    assert sum(found.values()) == 2 * found["inputs"]  # every line has come to one thing
    return {name: count for name, count in found.items() if count}


def without_this_run(summary):
    return {name: value for name, value in summary.items() if name != "this_run"}


def leftovers(out):
    return [path for name in ("under_way", "deaths") for path in (out / name).iterdir()]


def test_every_line_is_accounted_for(parse, videos, tmp_path, out):
    a, b, odd = videos("a.mp4", "sub folder/a.mp4", "odd.mp4")
    empty, words = tmp_path / "empty.mp4", tmp_path / "words.mp4"
    empty.touch()
    words.write_text("words")
    lines = [a, tmp_path / "absent.mp4", b, tmp_path, a, f"{a.parent}/../videos/a.mp4", empty, words, odd, a]
    pool, summary = parse(*lines)
    assert counts(summary) == dict(inputs=10, parsed=2, failed=3, missing=2, duplicates=3)
    assert sorted(pool.given) == ["a", "a", "empty", "odd", "words"]
    assert summary["finished"] and summary["frames"] == 3 + 4
    told = {failure["line"]: failure["error"].partition(str(tmp_path))[2] for failure in summary["failures"]}
    assert {line: error.partition(":")[0] for line, error in told.items()} == {
        2: "/absent.mp4 is missing",
        4: " is missing",
        7: "/empty.mp4 is empty",
        8: "/words.mp4 is not a video that can be read",
        9: "/videos/odd.mp4 could not be parsed (ValueError",
    }
    for path, frames in ((a, 3), (b, 4)):
        assert len(VideoParse.load(Folder(out).result(Item(1, str(path)).key)).frames) == frames
    assert json.loads((out / "made_by.json").read_text()) == dict(fingerprint="cheap", features=True, config="cheap.py")
    assert leftovers(out) == []
    [trace] = [json.loads(path.read_text()) for path in (out / "failures").rglob("odd-*.json")]
    assert "cheap_system.py" in trace["trace"] and trace["kind"] == "failed"


def test_finished_and_failed_videos_are_not_begun_again(parse, videos, out):
    a, odd = videos("a.mp4", "odd.mp4")
    _, first = parse()
    before = (out / "results").stat().st_mtime_ns
    pool, second = parse()
    assert pool.given == [] and without_this_run(first) == without_this_run(second)
    assert (second["this_run"]["finished_before"], second["this_run"]["failed_before"]) == (1, 1)
    assert (out / "results").stat().st_mtime_ns == before
    pool, _ = parse(rules=Rules(retry_failed=True, progress=False))
    assert pool.given == ["odd"]
    os.utime(a, ns=(0, 1))  # another file of that name
    odd.write_bytes(a.read_bytes())
    pool, _ = parse()
    assert sorted(pool.given) == ["a", "odd"]


def test_a_missing_file_is_looked_for_again(parse, videos, tmp_path):
    [a] = videos("a.mp4")
    late = tmp_path / "late.mp4"
    assert counts(parse(a, late)[1]) == dict(inputs=2, parsed=1, missing=1)
    late.write_bytes(a.read_bytes())
    pool, summary = parse(a, late)
    assert counts(summary) == dict(inputs=2, parsed=2) and pool.given == ["late"]


def test_a_video_that_is_mended(parse, videos, out):
    a, b = videos("a.mp4", "b.mp4")
    b.write_bytes(b"")
    assert counts(parse()[1]) == dict(inputs=2, parsed=1, failed=1)
    shutil.copy(a, b)
    assert counts(parse()[1]) == dict(inputs=2, parsed=2)
    assert not list((out / "failures").rglob("*.json"))
    b.write_bytes(b"")  # and broken again: its record is of another file
    assert counts(parse()[1]) == dict(inputs=2, parsed=1, failed=1)
    assert not Folder(out).result(Item(1, str(b)).key).exists()


def test_a_damaged_record_is_made_again(parse, videos, out):
    [a] = videos("a.mp4")
    parse()
    file = Folder(out).result(Item(1, str(a)).key)
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    pool, _ = parse()
    assert pool.given == ["a"] and file.read_bytes() == whole


def test_export_is_added_to_records(parse, videos, out):
    videos("a.mp4")
    parse()
    with_export = Rules(choices=Choices(export=True), progress=False)
    assert parse(rules=with_export)[0].given == ["a"]
    assert len(list((out / "results").rglob("a-*.json"))) == 1
    assert parse(rules=with_export)[0].given == []


def test_a_worker_that_dies_once(parse, videos, out, capsys):
    videos("a.mp4", "b.mp4", "c.mp4")
    pool, summary = parse(deaths={"a": [KILLED]}, workers=1)
    assert pool.given == ["a", "b", "c", "a"] and pool.started == {0: 2}  # others come first
    assert counts(summary) == dict(inputs=3, parsed=3) and summary["this_run"]["worker_deaths"] == 1
    assert leftovers(out) == [] and "a.mp4 (killed): it comes again after all others" in capsys.readouterr().err


def test_a_video_that_kills_its_worker_twice(parse, videos, out):
    a, _, _ = videos("a.mp4", "b.mp4", "c.mp4")
    pool, summary = parse(deaths={"a": [KILLED, Died("out of memory")]})
    assert counts(summary) == dict(inputs=3, parsed=2, set_aside=1) and pool.given.count("a") == 2
    told = f"{a} has killed its worker twice (out of memory): encode it again or leave it out"
    assert [failure["error"] for failure in summary["failures"]] == [told]
    [failure] = [json.loads(path.read_text()) for path in (out / "failures").rglob("*.json")]
    assert [death["error"] for death in failure["deaths"]] == ["killed", "out of memory"]
    assert leftovers(out) == []
    pool, again = parse(deaths={"a": [KILLED]})
    assert pool.given == [] and without_this_run(again) == without_this_run(summary)
    pool, again = parse(deaths={"a": [KILLED]}, rules=Rules(retry_failed=True, progress=False))
    assert pool.given == ["a", "a"] and counts(again) == dict(inputs=3, parsed=3)  # its old deaths are forgotten


def test_deaths_are_remembered_by_the_next_run(parse, videos, out):
    """The driver is ended between the two deaths of a video's workers."""
    videos("a.mp4", "b.mp4")
    with pytest.raises(InputError, match="make room"):
        parse(deaths={"a": [KILLED], "b": [Refused("x cannot be written: make room there")]}, workers=1)
    assert len(list((out / "deaths").iterdir())) == 1
    summary = json.loads((out / "summary.json").read_text())
    assert not summary["finished"] and counts(summary) == dict(inputs=2, left=2)
    pool, summary = parse(deaths={"a": [KILLED]}, workers=1)
    assert pool.given == ["a", "b"] and counts(summary) == dict(inputs=2, parsed=1, set_aside=1)


def test_what_was_under_way_when_a_driver_died_comes_last(parse, videos, out):
    paths = videos("a.mp4", "b.mp4", "c.mp4")
    marker = Folder(out).marker(Item(1, str(paths[0])).key)
    marker.parent.mkdir(parents=True)
    marker.write_text("")
    pool, summary = parse(workers=1)
    assert pool.given == ["b", "c", "a"] and counts(summary) == dict(inputs=3, parsed=3) and leftovers(out) == []


def test_a_marker_of_a_video_that_is_finished_goes(parse, videos, out):
    """The driver was killed between the result and the marker."""
    [a] = videos("a.mp4")
    parse()
    Folder(out).marker(Item(1, str(a)).key).touch()
    pool, _ = parse()
    assert pool.given == [] and leftovers(out) == []


def test_lost_machines_say_little_of_a_video(parse, videos):
    videos("a.mp4")
    gone = Died("its machine is gone", with_machine=True)
    _, summary = parse(deaths={"a": [gone] * 3 + [KILLED]})
    assert counts(summary) == dict(inputs=1, parsed=1) and summary["this_run"]["worker_deaths"] == 4


def test_no_room(parse, videos, out):
    videos("a.mp4", "b.mp4", "c.mp4")
    with pytest.raises(InputError, match="results/x cannot be written"):
        parse(deaths={"b": [Refused("results/x cannot be written: make room there")]}, workers=1)
    summary = json.loads((out / "summary.json").read_text())
    assert counts(summary) == dict(inputs=3, parsed=1, left=2) and not summary["finished"]
    pool, summary = parse(workers=1)
    assert pool.given == ["c", "b"] and counts(summary) == dict(inputs=3, parsed=3)


def test_workers_that_cannot_begin(parse, videos, out):
    videos("a.mp4")
    with pytest.raises(InputError, match=r"weights\.pth is missing: train it"):
        parse(make=refuses)
    assert not (out / "summary.json").exists() and not (out / "made_by.json").exists()
    with pytest.raises(InputError, match=r"workers die while they load their networks \(killed\): give fewer"):
        parse(deaths={0: [KILLED] * 2, 1: [KILLED] * 2})
    pool, summary = parse(deaths={0: [KILLED] * 2}, workers=1)
    assert counts(summary) == dict(inputs=1, parsed=1) and pool.started == {0: 3}


def test_false_starts_in_a_row_alone_count(parse, videos):
    videos("a.mp4")
    pool, summary = parse(deaths={0: [KILLED, KILLED, None, KILLED, KILLED, None], "a": [KILLED]}, workers=1)
    assert counts(summary) == dict(inputs=1, parsed=1) and pool.started == {0: 6}


def test_a_summary_that_cannot_be_written_does_not_hide_why_a_run_ends(parse, videos, monkeypatch):
    videos("a.mp4")

    def full(self, *, finished):
        raise InputError("summary.json cannot be written: make room there")

    monkeypatch.setattr(Run, "_refresh", lambda self: None)
    monkeypatch.setattr(Run, "_write_summary", full)
    with pytest.raises(InputError, match="results/x cannot be written"):
        parse(deaths={"a": [Refused("results/x cannot be written: make room there")]}, workers=1)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ("acdea", dict(inputs=5, parsed=4, duplicates=1)),
        ("a", dict(inputs=1, parsed=1)),
    ],
)
def test_a_list_that_changes_meanwhile(parse, videos, tmp_path, monkeypatch, late, expected):
    """It is counted first, and read while the run goes on."""
    paths = videos("a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4")
    begin = Run.run

    def change(run):
        (tmp_path / "list.txt").write_text("".join(f"{paths['abcde'.index(name)]}\n" for name in late))
        run._lines = iter(run.collection)
        return begin(run)

    left = []
    monkeypatch.setattr(Run, "run", change)
    monkeypatch.setattr(Run, "_end_overdue", lambda run: left.append(run.account.inputs - run.account.told))
    _, summary = parse(*paths[:2], workers=1)
    assert counts(summary) == expected and summary["finished"] and min(left) >= 0


def test_workers_that_never_begin_are_not_waited_for(parse, videos):
    videos("a.mp4", "b.mp4")
    pool, summary = parse(silent=(1,))
    assert counts(summary) == dict(inputs=2, parsed=2) and pool.started == {0: 1, 1: 1}


def test_that_no_worker_begins_is_told_once(parse, videos, monkeypatch, capsys):
    videos("a.mp4", "b.mp4")
    parse(deaths={0: [KILLED] * 2}, workers=1)
    assert "no worker has begun" not in capsys.readouterr().err
    monkeypatch.setattr(running, "SILENT_SECONDS", 0.0)
    parse(deaths={0: [KILLED] * 2}, workers=1)
    told = "no worker has begun after 0 s (workers 1): see with ray status whether a machine has that much free"
    assert [line for line in capsys.readouterr().err.splitlines() if "no worker" in line] == [told]
    parse()
    assert "no worker has begun" not in capsys.readouterr().err


def test_another_system(parse, videos, out):
    videos("a.mp4")
    _, summary = parse()
    with pytest.raises(InputError, match="another system"):
        parse(make=partial(CheapSystem, fingerprint="other"))
    assert json.loads((out / "summary.json").read_text()) == summary  # what was there is left as it is
    without = Rules(choices=Choices(features=False), progress=False)
    with pytest.raises(InputError, match="another system, version or options"):
        parse(rules=without)


def test_machines_with_different_systems(parse, videos):
    videos("a.mp4")
    with pytest.raises(InputError, match="node7 has another system than the machines before it"):
        parse(deaths={1: [Ready("other", "node7", 1, {})]})


def test_time_limit(parse, videos):
    held, _ = videos("held.mp4", "b.mp4")
    pool, summary = parse(rules=Rules(time_limit=0.05, progress=False), workers=2)
    assert counts(summary) == dict(inputs=2, parsed=1, set_aside=1) and len(pool.killed) == 2
    assert f"{held} has killed its worker twice (was not done in 0.05 s)" in summary["failures"][0]["error"]


def test_done_in_the_moment_in_which_it_is_stopped(parse, videos, monkeypatch):
    """The worker is gone, which must not be held against the next video."""
    videos("a.mp4", "b.mp4")
    pools = []

    def overdue(self):
        pools.append(self.pool)
        for task in self._tasks.values():
            task.overdue = task.item is not None

    monkeypatch.setattr(Run, "_end_overdue", overdue)
    _, summary = parse(workers=1)
    assert counts(summary) == dict(inputs=2, parsed=2) and pools[0].started == {0: 3}


def test_names_that_are_no_text(parse, videos, tmp_path, out):
    [a] = videos("a.mp4")
    os.link(a, os.fsencode(tmp_path / "videos") + b"/\xff.mp4")
    _, summary = parse()
    assert counts(summary) == dict(inputs=2, parsed=1, failed=1)
    assert "\\udcff.mp4 has a name that is not UTF-8: rename it" in summary["failures"][0]["error"]


def test_a_file_that_cannot_be_looked_at(parse, videos, tmp_path):
    [a] = videos("a.mp4")
    _, summary = parse(a, "/tmp/" + "n" * 300 + ".mp4")
    assert counts(summary) == dict(inputs=2, parsed=1, failed=1)
    assert "cannot be looked at (File name too long)" in summary["failures"][0]["error"]


def test_names_with_a_zero_byte(parse, videos, tmp_path, capsys):
    """As of ``find -print0``, or of text in UTF-16 without a mark."""
    [a] = videos("a.mp4")
    _, summary = parse(a, f"{tmp_path}/b\0c\x1b[31m.mp4")
    assert counts(summary) == dict(inputs=2, parsed=1, failed=1)
    told = "b\\x00c\\x1b[31m.mp4 has a zero byte, which no file's name has: write a path a line, in UTF-8"
    assert told in summary["failures"][0]["error"] and told in capsys.readouterr().err


def test_many_failures_are_not_all_told(parse, tmp_path, capsys):
    (tmp_path / "videos").mkdir()
    _, summary = parse(*(tmp_path / f"{number}.mp4" for number in range(30)))
    assert len(summary["failures"]) == 30
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == running.MOST_TOLD + 1 and lines[-1].startswith("further ones are listed in")


def test_summary_on_the_way(parse, videos, out, monkeypatch):
    videos("a.mp4", "b.mp4", "c.mp4")
    monkeypatch.setattr(running, "REFRESH_SECONDS", 0.0)
    seen = []
    monkeypatch.setattr(Run, "_end_overdue", lambda self: seen.append(self.account.told))
    written = []
    real = Run._write_summary
    monkeypatch.setattr(
        Run, "_write_summary", lambda self, finished: (real(self, finished=finished), written.append(finished))
    )
    monkeypatch.setattr(running, "REFRESH_SHARE", 1e9)
    parse()
    assert len(written) > 2 and written[-1] is True and not any(written[:-1])


def test_interrupted(parse, videos, out, monkeypatch):
    videos("a.mp4", "b.mp4")

    def stop(self):
        if self.account.told:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_end_overdue", stop)
    with pytest.raises(KeyboardInterrupt):
        parse(workers=1)
    summary = json.loads((out / "summary.json").read_text())
    assert not summary["finished"] and counts(summary) == dict(inputs=2, parsed=1, left=1)
