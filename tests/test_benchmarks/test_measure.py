from __future__ import annotations

import json
import mmap
import os
import sys

import pytest


@pytest.fixture(scope="module")
def measure(benchmark):
    return benchmark("measure")


def test_peers_take_turns_and_each_begins_once(measure):
    order = []
    peers = {name: lambda name=name: order.append(name) or len(order) for name in "abc"}
    assert measure.in_turns(peers, 3) == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}
    assert "".join(order) == "abcbcacab"


def test_no_rounds(measure):
    assert measure.in_turns({"a": lambda: 1}, 0) == {"a": []}


def test_ratio_is_the_median_of_the_rounds_ratios(measure):
    # 2/1, 9/3 and 10/10: their median is 2, while the ratio of the medians is 3
    assert measure.median_ratio([2, 9, 10], [1, 3, 10]) == 2


@pytest.mark.parametrize(("values", "peer"), [([], []), ([1], [1, 2])], ids=["none", "one lacks a round"])
def test_rounds_that_cannot_be_compared(measure, values, peer):
    with pytest.raises(ValueError, match="rounds cannot be compared"):
        measure.median_ratio(values, peer)


def test_peak_counts_the_processes_below(measure):
    child = "import time; block = b'x' * 80_000_000; time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('done')"
    done = measure.run_measured([sys.executable, "-c", parent], interval=0.02)
    assert 80e6 < done.peak_bytes < 200e6
    assert done.output == "done\n" and done.seconds > 1 and done.cpu_seconds > 0


def test_processor_time_is_not_the_clocks(measure):
    done = measure.run_measured([sys.executable, "-c", "import time; time.sleep(1)"])
    assert done.seconds > 1 > done.cpu_seconds


def test_a_command_that_fails(measure):
    with pytest.raises(RuntimeError, match=r"ended with status 3: it broke"):
        measure.run_measured([sys.executable, "-c", "import sys; sys.stderr.write('it broke'); sys.exit(3)"])


def test_private_memory_grows_by_what_is_held(measure):
    before = measure.private_bytes()
    # Not from the allocator, which may have as much at hand from what was freed before.
    with mmap.mmap(-1, 40_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        for start in range(0, 40_000_000, mmap.PAGESIZE):
            block[start] = 1
        assert 39e6 < measure.private_bytes() - before < 45e6


def test_memory_of_a_process_that_has_ended(measure):
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitpid(child, 0)
    assert measure.private_bytes(child) == measure.tree_pss(child) == 0


def test_table(measure):
    rows = [{"name": "ä b", "count": 12345, "rate": 0.12345}, {"name": "c", "count": 7, "rate": 12345.6}]
    assert measure.table(rows).splitlines() == [
        "| name | count  | rate   |",
        "| ---- | -----: | -----: |",
        "| ä b  | 12,345 |  0.123 |",
        "| c    |      7 | 12,346 |",
    ]
    assert measure.table([]) == ""


def test_report_is_printed_and_written(measure, capsys, tmp_path):
    file = tmp_path / "a folder" / "out.json"
    measure.report("name", {"Title": [{"a": 1}]}, file=file, rounds=[1, 2])
    written = json.loads(file.read_text())
    assert written["tables"] == {"Title": [{"a": 1}]} and written["rounds"] == [1, 2]
    assert written["machine"]["cores"] >= 1 and written["machine"]["memory_gb"] > 0
    assert "Title" in capsys.readouterr().out
    measure.report("name", {}, file=None)
    assert [path.name for path in file.parent.iterdir()] == ["out.json"]
