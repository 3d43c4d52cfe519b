"""A process that parses a thousand short videos needs no more memory at the end than after the first ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
from broken_videos import SIZE, encoded, pictures

VIDEOS = 1000
ROOM = 4 << 20
"""Bytes of growth; memory goes up and down by as much. A decoded video that is kept, of 6 frames, takes 36,864.

What is free is given back before it is measured: a parser keeps it, and how much that is follows from how far decoding
has run ahead, on a busy machine by tens of megabytes."""


def write_videos(folder: Path, count: int) -> list[Path]:
    generator = np.random.default_rng(0)
    folder.mkdir()
    paths = [folder / f"{number:04d}.mp4" for number in range(count)]
    for path in paths:
        path.write_bytes(encoded(pictures(generator, frames=int(generator.integers(4, 9)))))
    return paths


def parse_all(system: str, work_dir: str, paths: list[Path], out: Path, writer) -> None:
    """Parse videos in this process, writing those of every tenth; send the bytes that are its own every 100 videos."""
    from tpsparse import apis
    from tpsparse.cluster.work import give_back_memory

    parser, taxonomy = apis.build_parser(system, work_dir=work_dir, frame_step=6)
    process = psutil.Process()
    for number, path in enumerate(paths, start=1):
        if number % 10:
            assert parser.parse(path).error is None
        else:
            apis.parse_to_folder(parser, taxonomy, path, out / path.stem)
        if number % 100 == 0:
            give_back_memory()
            writer.send(process.memory_full_info().uss)
    writer.close()


def test_does_not_grow(runs, systems, tmp_path):
    paths = write_videos(tmp_path / "videos", VIDEOS)
    reader, writer = runs.context.Pipe(duplex=False)
    given = (str(systems[0]), str(systems[0].parent / "work"), paths, tmp_path / "out", writer)
    process = runs.context.Process(target=parse_all, args=given)
    process.start()
    writer.close()
    used = []
    while reader.poll(200) and len(used) < VIDEOS // 100:
        used.append(reader.recv())
    process.join(60)
    assert process.exitcode == 0 and len(used) == VIDEOS // 100
    assert len(list((tmp_path / "out").iterdir())) == VIDEOS // 10
    # After 200 to 400 videos, and after 800 to 1000.
    early, late = np.median(used[1:4]), np.median(used[-3:])
    assert late - early < ROOM, [f"{each / 2**20:.1f} MB" for each in used]
    assert np.prod(SIZE) * 3 * 6 == 36864
