"""Memory over a thousand videos, of the engine in the worker and of the driver."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from pathlib import Path

from plain_stage import write_system

from tpsparse.cluster import Collection, parse_collection
from tpsparse.cluster.account import Fate
from tpsparse.cluster.run import Rules
from tpsparse.cluster.work import Choices, TrainedSystem

COUNT, WARM = 1000, 200
ROOM = 8_000_000
"""Bytes within which a process breathes. The decoded frames of so many videos are 25 MB, their records 7 MB."""


def own_memory(process):
    """Bytes that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private"))


def test_memory_does_not_grow_with_the_collection(ray_address, videos, tmp_path):
    clips = videos(*(f"{number}.mp4" for number in range(5)))
    folder = tmp_path / "thousand"
    folder.mkdir()
    for number in range(COUNT):
        os.link(clips[number % len(clips)], folder / f"{number:04d}.mp4")
    out, found, over = tmp_path / "out", {}, threading.Event()

    def watch():
        """The memory of the worker and of this process by the number of records, now and then."""
        while not over.wait(0.5):
            for path in (out / "under_way").glob("*.json"):
                try:
                    worker = json.loads(path.read_text())["pid"]
                    done = sum(len(names) for _, _, names in os.walk(out / "results"))
                    found[done] = (own_memory(worker), own_memory(os.getpid()))
                except (OSError, ValueError):  # the video is done, and the note gone or half-written
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        account = parse_collection(
            Collection(folder),
            out,
            partial(TrainedSystem, str(write_system(tmp_path))),
            address=ray_address,
            workers=1,
            rules=Rules(choices=Choices(features=True), progress=False),
        )
    finally:
        over.set()
        watcher.join()
    assert account.fates == {Fate.PARSED: COUNT} and account.frames == sum(3 + n % 3 for n in range(5)) * COUNT // 5
    times = sorted(done for done in found if done >= WARM)
    assert len(times) >= 4 and times[-1] > 0.9 * COUNT
    third = len(times) // 3 or 1
    for process in (0, 1):
        early, late = (min(found[done][process] for done in part) for part in (times[:third], times[-third:]))
        assert late - early < ROOM, f"{early} bytes at {times[0]} videos and {late} at {times[-1]}"
