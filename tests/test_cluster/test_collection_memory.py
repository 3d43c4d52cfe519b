"""Memory over a thousand videos, of the engine in the worker and of the driver."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from pathlib import Path

import broken_videos
import numpy as np
import torch

from tpsparse.cluster import Collection, parse_collection
from tpsparse.cluster.account import Fate
from tpsparse.cluster.run import Rules
from tpsparse.cluster.work import Choices, TrainedSystem
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(parts=("head",), states=("none",), actions=("walk",))
CONFIG = """
custom_imports = dict(imports=["plain_stage"])
model = dict(
    type="ActionParser",
    stages=[dict(type="WholeFrame", config={network!r}, checkpoint={weights!r})],
    frames=dict(type="EveryFrame"),
    taxonomy="@taxonomy",
)
"""

COUNT, WARM, FRAMES, SIZE = 1000, 250, 2, (96, 128)
ROOM = 24_000_000
"""Bytes within which a process breathes; up to 16 MB were seen. Were decoded frames kept, they would be 70 KB a video:
35 MB and more between the first and the last third of what is compared."""


def write_system(folder):
    """A system without networks, so that what remains is the engine: its config, a network's and empty weights."""
    network, weights, system = folder / "network.py", folder / "weights.pth", folder / "system.py"
    network.write_text("model = dict(type='None')\ntest_pipeline = []\n")
    torch.save({"meta": {"dataset_meta": {"taxonomy": TAXONOMY.to_meta()}}, "state_dict": {}}, weights)
    system.write_text(CONFIG.format(network=str(network), weights=str(weights)))
    return system


def own_memory(process):
    """Bytes that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private"))


def test_memory_does_not_grow_with_the_collection(ray_address, tmp_path):
    folder = tmp_path / "thousand"
    folder.mkdir()
    pictures = broken_videos.pictures(np.random.default_rng(0), FRAMES, SIZE)
    (folder / "0000.mp4").write_bytes(broken_videos.encoded(pictures))
    for number in range(1, COUNT):
        os.link(folder / "0000.mp4", folder / f"{number:04d}.mp4")
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
    assert account.fates == {Fate.PARSED: COUNT} and account.frames == FRAMES * COUNT
    times = sorted(done for done in found if done >= WARM)
    assert len(times) >= 4 and times[-1] > 0.9 * COUNT
    third = len(times) // 3 or 1
    for process in (0, 1):
        early, late = (min(found[done][process] for done in part) for part in (times[:third], times[-third:]))
        assert late - early < ROOM, f"{early} bytes at {times[0]} videos and {late} at {times[-1]}"
