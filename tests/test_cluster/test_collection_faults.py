"""Collections on a real Ray, with workers and drivers that are killed, full disks and broken videos."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import broken_videos
import pytest
from cheap_system import CheapSystem, dies, refuses

from tpsparse.cluster import Collection, Folder, Item, parse_collection, ray_pool
from tpsparse.cluster import run as running
from tpsparse.cluster.account import Fate
from tpsparse.cluster.run import Rules
from tpsparse.errors import InputError

QUIET = Rules(progress=False)
DRIVER = Path(__file__).with_name("collection_driver.py")
KINDS_TOLD = {
    "empty": "is empty",
    "truncated header": "is not a video that can be read",
    "truncated inside": "is truncated",
    "wrong type": "is not a video that can be read",
    "audio only": "is not a video that can be read",
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Eighty videos, eight of them broken, each in another way; path to way."""
    return broken_videos.write_collection(tmp_path_factory.mktemp("eighty") / "videos", 80)


@pytest.fixture(scope="module")
def collection(kinds):
    return os.path.commonpath([path.parent for path in kinds])


@pytest.fixture(scope="module")
def parse(ray_address):
    def call(source, out, make=CheapSystem, **changes):
        account = parse_collection(Collection(source), out, make, address=ray_address, rules=QUIET, **changes)
        assert account.told == account.inputs
        return account

    return call


@pytest.fixture(scope="module")
def undisturbed(parse, collection, contents, tmp_path_factory):
    """What a run leaves to which nothing happens: its files, and its summary."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    parse(collection, out)
    return contents(out), summary_of(out)


def summary_of(out):
    """But for what is of this run alone."""
    found = json.loads((out / "summary.json").read_text())
    assert found["finished"] and found["inputs"] == found["parsed"] + len(found["failures"]) + found["duplicates"]
    return {name: value for name, value in found.items() if name not in ("this_run", "pool")}


def until(holds, seconds=60.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def under_way(out):
    """Processes that have a video now."""
    found = []
    for path in (out / "under_way").glob("*.json"):
        try:
            found.append(json.loads(path.read_text())["pid"])
        except (OSError, ValueError):  # gone or half-written
            continue
    return found


def results(out):
    return list((out / "results").rglob("*.safetensors"))


def test_broken_videos_cost_themselves(kinds, undisturbed):
    _, summary = undisturbed
    told = {failure["video"]: failure["error"] for failure in summary["failures"]}
    assert Counter(kinds.values()) == {broken_videos.WHOLE: 72, **dict.fromkeys(broken_videos.KINDS, 1)}
    assert {path: kinds[Path(path)] for path in told} == {str(p): k for p, k in kinds.items() if k in KINDS_TOLD}
    for path, error in told.items():
        assert f"{path} {KINDS_TOLD[kinds[Path(path)]]}" in error
    assert (summary["parsed"], summary["failed"], summary["left"]) == (75, 5, 0)
    # Six frames each, but for the video of one.
    assert summary["frames"] == 74 * 6 + 1


def test_names_that_are_hard(kinds, undisturbed):
    [path] = [path for path, kind in kinds.items() if kind == "long name"]
    files, _ = undisturbed
    key = Item(1, str(path)).key
    assert len(path.name) == 200 and f"results/{key[-20:-18]}/{key}.safetensors" in files


def test_restart_does_nothing(parse, collection, undisturbed, contents, tmp_path):
    out = tmp_path / "out"
    parse(collection, out)
    before = {path: path.stat().st_mtime_ns for path in results(out)}
    account = parse(collection, out, workers=1)
    assert account.new == Counter(failed_before=5)
    assert {path: path.stat().st_mtime_ns for path in results(out)} == before
    assert (contents(out), summary_of(out)) == undisturbed


def test_killed_workers(parse, collection, undisturbed, contents, tmp_path):
    """Workers that have a video are killed at random moments, until a third of the videos is left."""
    out, generator, killed = tmp_path / "out", random.Random(0), []

    def kill_some():
        while len(results(out)) < 50:
            time.sleep(generator.uniform(0.1, 0.8))
            alive = [process for process in under_way(out) if process not in killed]
            for process in generator.sample(alive, min(1, len(alive))):
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    killer = threading.Thread(target=kill_some)
    killer.start()
    account = parse(collection, out, partial(CheapSystem, 0.05))
    killer.join()
    assert len(killed) >= 2 and account.new["deaths"] >= 2
    assert (contents(out), summary_of(out)) == undisturbed


def test_a_video_that_kills_is_set_aside(parse, videos, tmp_path):
    paths = videos("a.mp4", "deadly.mp4", "poison.mp4", "odd.mp4", "b.mp4")
    account = parse(tmp_path / "videos", tmp_path / "out")
    fates = {fate: count for fate, count in account.fates.items() if count}
    assert fates == {Fate.PARSED: 2, Fate.FAILED: 1, Fate.SET_ASIDE: 2} and account.new["deaths"] == 4
    told = {failure["video"]: failure["error"] for failure in account.failures}
    assert f"has killed its worker twice ({ray_pool.KILLED})" in told[str(paths[1])]
    assert "has killed its worker twice (MemoryError: no memory left)" in told[str(paths[2])]


def test_workers_that_cannot_begin(parse, videos, tmp_path):
    videos("a.mp4")
    with pytest.raises(InputError, match=r"weights\.pth is missing"):
        parse(tmp_path / "videos", tmp_path / "out", refuses)
    with pytest.raises(InputError, match="workers die while they load their networks"):
        parse(tmp_path / "videos", tmp_path / "out", dies)


def test_slow_videos_are_ended(ray_address, videos, tmp_path):
    videos("a.mp4", "slow.mp4")
    rules = Rules(progress=False, time_limit=0.3)
    account = parse_collection(
        Collection(tmp_path / "videos"), tmp_path / "out", CheapSystem, address=ray_address, rules=rules
    )
    assert (account.fates[Fate.PARSED], account.fates[Fate.SET_ASIDE]) == (1, 1)
    assert "has killed its worker twice (was not done in 0.3 s)" in account.failures[0]["error"]


@contextmanager
def driver(environment, *arguments):
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_killed_drivers(parse, collection, undisturbed, contents, ray_address, ray_environment, tmp_path):
    """The driver is killed at random moments, its folder is refused to others meanwhile, and the last one ends all."""
    out, generator = tmp_path / "out", random.Random(1)
    for wanted in (1, 20, 45):
        with driver(ray_environment, collection, out, 0.03, ray_address) as process:
            until(lambda: len(results(out)) >= wanted or process.poll() is not None)  # noqa: B023
            time.sleep(generator.uniform(0, 0.2))
            assert process.poll() is None
            with pytest.raises(InputError, match="out is used by another run"):
                parse(collection, out)
            process.kill()
    assert len(results(out)) < 75
    account = parse(collection, out)
    assert account.new["parsed"] < 30
    assert (contents(out), summary_of(out)) == undisturbed


def test_nothing_outlives_a_killed_driver(collection, undisturbed, ray_environment, tmp_path):
    """A driver with a Ray of its own."""
    out = tmp_path / "out"
    with driver(ray_environment, collection, out, 0.05) as process:
        until(lambda: len(results(out)) >= 3 or process.poll() is not None)
        family = {each: name_of(each) for each in descendants(process.pid)}
        assert len(family) >= 4 and set(under_way(out)) <= family.keys()
        process.kill()
    # Ray's two agents try for a minute to report the death to a server that is gone, and end then. They hold nothing.
    family = {each: name for each, name in family.items() if not name.endswith("Agent")}
    until(lambda: not any(is_running(each) for each in family), 30)


def test_several_machines(ray_environment, videos, tmp_path, monkeypatch):
    """Cores of two machines are none of one, and a worker with a GPU has none of a machine without."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    def end(run):
        assert run._workers or run.account.age < 20, "no machine can hold what a worker asks for"

    videos("a.mp4", "b.mp4")
    monkeypatch.setattr(running.Run, "_tell_silence", end)
    store = dict(object_store_memory=80_000_000)
    cluster = Cluster(initialize_head=True, head_node_args=dict(num_cpus=6, include_dashboard=False, **store))
    try:
        cluster.add_node(num_cpus=1, num_gpus=1, **store)
        address, source = cluster.address, Collection(tmp_path / "videos")
        account = parse_collection(source, tmp_path / "out", CheapSystem, address=address, rules=QUIET)
    finally:
        cluster.shutdown()
    assert account.fates == {Fate.PARSED: 2}
    assert account.about["pool"] == dict(address=address, workers=1, threads=1, cpus=1, gpus=1)


def test_the_end_of_the_cluster_is_held_against_no_video(collection, another_ray, ray_environment, tmp_path):
    """Videos under way lose their workers, but by no fault of theirs; the run ends in order and says why."""
    out = tmp_path / "out"
    with another_ray() as (address, end), driver(ray_environment, collection, out, 0.3, address) as process:
        until(lambda: len(results(out)) >= 2 or process.poll() is not None)
        end()
        _, told = process.communicate(timeout=50)
    assert process.returncode == 1
    last = told.splitlines()[-1]
    assert f"InputError: the Ray at {address} is gone, and its workers with it: run the same command again" in last
    assert "a worker died on" not in told and list((out / "deaths").iterdir()) == []
    assert len(list((out / "under_way").iterdir())) == 2
    found = json.loads((out / "summary.json").read_text())
    assert not found["finished"] and found["parsed"] >= 2 and found["left"] > 0 and found["set_aside"] == 0


def name_of(process):
    return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0].decode()


def descendants(process):
    """The processes that a process has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, new = set(), {process}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found |= new
    return found


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    options = ["-o", f"size={size}", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", *options], capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        yield partial(subprocess.run, ["mount", "-o", "remount,size=8m", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(parse, collection, undisturbed, contents, tmp_path, find_leftovers):
    with small_disk(tmp_path / "disk", "200k") as enlarge:
        out = tmp_path / "disk" / "out"
        with pytest.raises(InputError, match=r"/out/.* cannot be written \(No space left on device.*make room there"):
            parse(collection, out)
        whole, _ = undisturbed
        assert 0 < len(results(out)) < 75 and find_leftovers(out) == []
        for path in results(out):
            assert path.read_bytes() == whole[str(path.relative_to(out))]
        enlarge()
        parse(collection, out)
        assert (contents(out), summary_of(out)) == undisturbed


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_no_ray_there(videos, tmp_path, address, ray_environment):
    videos("a.mp4")
    with pytest.raises(InputError, match=f"{address} has no Ray that lets us in"):
        parse_collection(Collection(tmp_path / "videos"), tmp_path / "out", CheapSystem, address=address, rules=QUIET)
    assert not (tmp_path / "out").exists()


def test_ray_that_is_not_installed(videos, tmp_path, monkeypatch):
    videos("a.mp4")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'install it with pip install "tpsparse\[cluster\]"'):
        parse_collection(Collection(tmp_path / "videos"), tmp_path / "out", CheapSystem, rules=QUIET)


def test_an_empty_list(tmp_path):
    (tmp_path / "list.txt").write_text("# none\n")
    with pytest.raises(InputError, match=r"list\.txt names no video"):
        parse_collection(Collection(tmp_path / "list.txt"), tmp_path / "out", CheapSystem, rules=QUIET)
    assert not (tmp_path / "out").exists()


def test_folder_names(tmp_path):
    assert Folder(tmp_path / "a" / ".." / "b").root == tmp_path / "b"
