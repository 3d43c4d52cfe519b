"""Counts of a collection."""

from __future__ import annotations

import json
import os

from tpsparse.cluster.account import Account, Fate, printable
from tpsparse.cluster.folder import Item


def test_every_line_is_accounted_for(tmp_path):
    account = Account(7, dict(list="videos.txt"))
    account.parsed(10, 1000)
    account.parsed(5, 500)
    account.new.update(parsed=1, frames=5)
    account.failed(Item(6, "/b.mp4"), Fate.MISSING, "/b.mp4 is missing")
    account.failed(Item(2, "/a.mp4"), Fate.SET_ASIDE, "/a.mp4 has killed its worker twice")
    account.duplicate()
    assert (account.told, account.unparsed) == (5, 2)
    account.write(tmp_path / "summary.json", finished=False)
    found = json.loads((tmp_path / "summary.json").read_text())
    counts = {
        name: found[name] for name in ("inputs", "parsed", "failed", "set_aside", "missing", "duplicates", "left")
    }
    assert counts == dict(inputs=7, parsed=2, failed=0, set_aside=1, missing=1, duplicates=1, left=2)
    assert sum(value for name, value in counts.items() if name != "inputs") == counts["inputs"]
    assert (found["finished"], found["list"], found["frames"], found["bytes"]) == (False, "videos.txt", 15, 1500)
    assert (found["this_run"]["parsed"], found["this_run"]["finished_before"], found["this_run"]["frames"]) == (1, 1, 5)
    # In the order of the list, whenever they were met.
    assert [(each["line"], each["kind"]) for each in found["failures"]] == [(2, "set_aside"), (6, "missing")]


def test_names_that_are_no_text(tmp_path):
    path = os.fsdecode(b"/\xff.mp4")
    assert printable(path) == "/\\udcff.mp4" and printable("/ü.mp4") == "/ü.mp4"
    assert printable("a\0\t\n\x1b[2J\x7f\x9b b") == r"a\x00\x09\x0a\x1b[2J\x7f\x9b b"
    account = Account(1)
    account.failed(Item(1, path), Fate.FAILED, f"{path} is empty")
    account.write(tmp_path / "summary.json", finished=True)
    assert json.loads((tmp_path / "summary.json").read_text())["failures"][0]["video"] == "/\\udcff.mp4"


def test_nothing_done_in_no_time():
    account = Account(0)
    account._start = float("inf")
    assert account.summary(finished=True)["this_run"]["videos_per_second"] == 0.0
