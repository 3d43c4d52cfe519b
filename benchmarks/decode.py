"""Compare video decoders: whole videos, every fifth frame, frames at random.

    python benchmarks/decode.py [--clips FILE...] [--repeats N] [--json FILE]

OpenCV, PyAV and this project's `Video` are compared, with decord2 (or decord) and torchcodec where they are installed;
the project's own code needs neither. The clips are those given and generated ones like those of Kinetics: H.264 with
B-frames, 340x256, 30 frames a second, ten seconds, with a key frame every 250 and every 12 frames.

A reader gives RGB arrays: `sequential` of every frame, `pick` of those with the given rising numbers. Repeats are
interleaved, in an order drawn anew each time. A row holds medians, by the clock and of the time of all cores, which
other work on the machine changes less; "speed" is how many times as fast as OpenCV in the same run; "right" says how
many of the frames are those that OpenCV gives from the first to the last: each is compared with all of them. "opened"
does not count opening the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from tqdm import tqdm

from tpsparse.cli import DONE, positive, run
from tpsparse.datasets import video as video_module
from tpsparse.datasets.video import FrameStore, Video
from tpsparse.errors import InputError

SIZE, FPS = (256, 340), 30
KEY_INTERVALS = (250, 12)
NUM_RANDOM = 32
SEED = 0
BASELINE = "OpenCV"
Timed = tuple[tuple[float, float] | None, list]


class OpenCVReader:
    """OpenCV; frames that are not wanted are grabbed and not converted."""

    name = BASELINE
    package = "cv2"

    def __init__(self, path: Path, threads: int | None) -> None:
        options = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
        self.capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
        self.number = 0

    def sequential(self) -> Iterator[np.ndarray]:
        while (read := self.capture.read())[0]:
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)

    def pick(self, numbers: Sequence[int]) -> list[np.ndarray]:
        if numbers[0] <= self.number:
            self.capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            self.number = 0
        return [self._frame(number) for number in numbers]

    def _frame(self, number: int) -> np.ndarray:
        while self.number < number:
            self.capture.grab()
            self.number += 1
        return cv2.cvtColor(self.capture.retrieve()[1], cv2.COLOR_BGR2RGB)


class OpenCVSeekReader(OpenCVReader):
    """OpenCV, told to go to the frame; for single frames only."""

    name = "OpenCV, seeking"

    def _frame(self, number: int) -> np.ndarray:
        self.capture.set(cv2.CAP_PROP_POS_FRAMES, number - 1)
        return cv2.cvtColor(self.capture.read()[1], cv2.COLOR_BGR2RGB)


class PyAVReader:
    """PyAV from the first frame on; frames that are not wanted are not converted."""

    name = "PyAV"
    package = "av"

    def __init__(self, path: Path, threads: int | None) -> None:
        self.container = av.open(str(path))
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.stream.thread_count = threads or 0
        self.reformatter = VideoReformatter()
        self.used = False

    def sequential(self) -> Iterator[np.ndarray]:
        return (self._to_rgb(frame) for frame in self.container.decode(self.stream))

    def pick(self, numbers: Sequence[int]) -> list[np.ndarray]:
        if self.used:
            self.container.seek(0)
        self.used = True
        wanted, frames = set(numbers), []
        for number, frame in enumerate(self.container.decode(self.stream), 1):
            if number in wanted:
                frames.append(self._to_rgb(frame))
            if number == numbers[-1]:
                break
        return frames

    def _to_rgb(self, frame: av.VideoFrame) -> np.ndarray:
        colours: dict[str, Any] = dict(src_colorspace=Colorspace.ITU601, dst_colorspace=Colorspace.ITU601)
        return self.reformatter.reformat(
            frame, format="rgb24", interpolation=Interpolation.BICUBIC, threads=1, **colours
        ).to_ndarray()


class VideoReader:
    """This project's `Video`, which keeps no decoded frames here."""

    name = "tpsparse"
    package = "tpsparse"

    def __init__(self, path: Path, threads: int | None) -> None:
        cv2.setNumThreads(-1 if threads is None else threads)
        self.video = Video(path)

    def sequential(self) -> Iterator[np.ndarray]:
        return (frame for _, frame in self.video.decode())

    def pick(self, numbers: Sequence[int]) -> Iterable[np.ndarray]:
        return self.video.frames(numbers)


class DecordReader:
    """decord2, from version 3 on, or the decord that it continues: both go by one name."""

    name = "decord"
    package = "decord"

    def __init__(self, path: Path, threads: int | None) -> None:
        import decord

        self.reader = decord.VideoReader(str(path), num_threads=threads or 0)

    def sequential(self) -> Iterator[np.ndarray]:
        return (self.reader.next().asnumpy() for _ in range(len(self.reader)))

    def pick(self, numbers: Sequence[int]) -> Iterable[np.ndarray]:
        return self.reader.get_batch([number - 1 for number in numbers]).asnumpy()


class TorchCodecReader:
    """torchcodec."""

    name = "torchcodec"
    package = "torchcodec.decoders"

    def __init__(self, path: Path, threads: int | None) -> None:
        from torchcodec.decoders import VideoDecoder

        self.decoder = VideoDecoder(str(path), dimension_order="NHWC", num_ffmpeg_threads=threads or 0)

    def sequential(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.decoder), 32):
            stop = min(start + 32, len(self.decoder))
            yield from self.decoder.get_frames_in_range(start, stop).data.numpy()

    def pick(self, numbers: Sequence[int]) -> Iterable[np.ndarray]:
        return self.decoder.get_frames_at([number - 1 for number in numbers]).data.numpy()


READERS: tuple[Any, ...] = (OpenCVReader, OpenCVSeekReader, PyAVReader, VideoReader, DecordReader, TorchCodecReader)


@dataclass(frozen=True)
class Access:
    """A way of asking for the frames of a video of N frames.

    Args:
        name: As told in the table.
        numbers: From N and a generator to rising frame numbers.
        whole: Whether all frames are read one by one.
        single: Whether it is one frame.
        opened: Whether the file is open already.
    """

    name: str
    numbers: Callable[[int, np.random.Generator], list[int]]
    whole: bool = False
    single: bool = False
    opened: bool = False

    def run(self, reader: type[Any], path: Path, threads: int | None, numbers: list[int]) -> Timed:
        """Seconds by the clock and of all cores, and a thumbnail of each frame; none where all are read one by one."""
        handle = reader(path, threads) if self.opened else None
        if handle is not None:
            handle.pick([1])  # so that nothing is left to be done at the first frame
        start, cpu_start = time.perf_counter(), time.process_time()
        handle = handle or reader(path, threads)
        frames = handle.sequential() if self.whole else handle.pick(numbers)
        if self.whole:
            # Thumbnails in between would give readers that decode in the background time that is not counted.
            for _ in frames:
                pass
        taken = time.perf_counter() - start, time.process_time() - cpu_start
        cv2.setNumThreads(1)  # else threads that wait for the next thumbnail are counted with the next reader
        return taken, [] if self.whole else [thumbnail(frame) for frame in frames]


def _draw(count: int) -> Callable[[int, np.random.Generator], list[int]]:
    return lambda total, rng: sorted((rng.choice(total, min(count, total), replace=False) + 1).tolist())


ACCESSES = (
    Access("sequential", lambda total, _: list(range(1, total + 1)), whole=True),
    Access("every fifth", lambda total, _: list(range(1, total + 1, 5))),
    Access(f"{NUM_RANDOM} random", _draw(NUM_RANDOM)),
    Access(f"{NUM_RANDOM} random, opened", _draw(NUM_RANDOM), opened=True),
    Access("1 random", _draw(1), single=True),
    Access("1 random, opened", _draw(1), single=True, opened=True),
)


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", nargs="+", type=Path, default=[], metavar="FILE", help="videos to read besides")
    parser.add_argument("--repeats", type=positive, default=9, help="times that everything is measured")
    parser.add_argument("--seconds", type=int, default=10, help="length of the generated clips, 0 for none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to this file")
    args = parser.parse_args(argv)
    readers = installed_readers()
    video_module.FRAMES = FrameStore(0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        clips = [*args.clips, *generate_clips(Path(folder), args.seconds)]
        for threads in (1, None):
            for clip in clips:
                rows += measure_clip(clip, readers, threads, args.repeats)
    print(table(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return DONE


def installed_readers() -> list[type[Any]]:
    """The readers that can run here; the others are named."""
    readers: list[type[Any]] = []
    for reader in READERS:
        try:
            package = __import__(reader.package)
        except ImportError:
            print(f"{reader.name} is not installed")
        except (RuntimeError, OSError) as error:  # a package whose own libraries are missing
            print(f"{reader.name} is installed but cannot run: {str(error).splitlines()[0]}")
        else:
            print(f"{reader.name} {package.__version__}")
            readers.append(reader)
    return readers


def generate_clips(folder: Path, seconds: int) -> list[Path]:
    """Write a clip with each interval of key frames."""
    paths = []
    for interval in KEY_INTERVALS if seconds > 0 else ():
        paths.append(folder / f"generated, key frame every {interval}.mp4")
        options = {"crf": "23", "g": str(interval), "keyint_min": "12", "bf": "3", "threads": "1"}
        with av.open(str(paths[-1]), "w") as file:
            stream = file.add_stream("libx264", rate=FPS, options=options)
            stream.height, stream.width = SIZE
            stream.pix_fmt = "yuv420p"
            for image in moving_images(seconds * FPS):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            file.mux(stream.encode(None))
    return paths


def moving_images(count: int) -> Iterator[np.ndarray]:
    """A window (H, W, 3) that wanders over a soft texture, under noise that is not the same in any two frames."""
    rng = np.random.default_rng(SEED)
    height, width = SIZE
    soft = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    scene = cv2.resize(soft, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    noise = rng.integers(-12, 13, (height, width, 3), dtype=np.int16)
    for frame in range(count):
        left = round(width / 2 * (1 + np.sin(frame / 20)))
        top = round(height / 2 * (1 + np.cos(frame / 27)))
        window = scene[top : top + height, left : left + width] + np.roll(noise, 7 * frame, axis=1)
        yield np.clip(window, 0, 255).astype(np.uint8)


def measure_clip(clip: Path, readers: list[type[Any]], threads: int | None, repeats: int) -> list[dict[str, Any]]:
    """A row for each access and reader."""
    reference = np.stack([thumbnail(frame) for frame in _reference(clip)])
    order = np.random.default_rng(SEED)
    label = _label(threads)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    usable = list(readers)
    for repeat in tqdm(range(repeats), desc=f"{clip.name}, {label}"):
        for place, access in enumerate(ACCESSES):
            numbers = access.numbers(len(reference), np.random.default_rng((SEED, repeat, place)))
            for reader in order.permutation(np.array(usable, dtype=object)):
                if reader is OpenCVSeekReader and not access.single:
                    continue  # it takes minutes for many
                taken, frames = _try(access, reader, clip, threads, numbers)
                if taken is None:
                    usable.remove(reader)
                    continue
                row = rows.setdefault((access.name, reader.name), {"seconds": [], "right": []})
                row["seconds"].append(taken)
                if access.whole and repeat == 0:
                    frames = [thumbnail(frame) for frame in reader(clip, threads).sequential()]
                if not access.whole or repeat == 0:
                    row["right"] += are_frames(frames, numbers, reference)
    return [
        _row(clip, label, access.name, reader.name, rows)
        for access in ACCESSES
        for reader in usable
        if (access.name, reader.name) in rows
    ]


def _try(access: Access, reader: type[Any], clip: Path, threads: int | None, numbers: list[int]) -> Timed:
    try:
        return access.run(reader, clip, threads, numbers)
    except Exception as error:  # each library has errors of its own
        print(f"{reader.name} cannot read {clip.name} with {_label(threads)}: {str(error).splitlines()[0]}")
        return None, []


def _label(threads: int | None) -> str:
    return "default threads" if threads is None else f"{threads} thread"


def _row(clip: Path, threads: str, access: str, reader: str, measured: dict) -> dict[str, Any]:
    seconds, cpu = np.median(measured[access, reader]["seconds"], axis=0)
    baseline, cpu_baseline = np.median(measured[access, BASELINE]["seconds"], axis=0)
    return {
        "clip": clip.name,
        "threads": threads,
        "access": access,
        "reader": reader,
        "milliseconds": round(1000 * seconds, 2),
        "cpu_milliseconds": round(1000 * cpu, 2),
        "speed": round(baseline / seconds, 2),
        "cpu_speed": round(cpu_baseline / cpu, 2),
        "right": float(np.mean(measured[access, reader]["right"])),
    }


def _reference(clip: Path) -> Iterator[np.ndarray]:
    reader = OpenCVReader(clip, None)
    if not reader.capture.isOpened():
        raise InputError(f"{clip} is not a video that can be read: give another")
    return reader.sequential()


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """(24, 32, 3) means of a frame's regions, which tell its neighbours apart."""
    return cv2.resize(frame, (32, 24), interpolation=cv2.INTER_AREA).astype(np.int16)


def are_frames(frames: Sequence[np.ndarray], numbers: Sequence[int], reference: np.ndarray) -> list[bool]:
    """Whether each thumbnail is nearest to that of its number; a missing frame or one too many is wrong.

    Frames that look alike in OpenCV's own reading count as the same.
    """
    right = []
    for frame, number in zip(frames, numbers):
        distances = np.abs(reference - frame).mean(axis=(1, 2, 3))
        right.append(bool(distances[number - 1] <= distances.min() + 1e-6))
    return right + [False] * abs(len(numbers) - len(frames))


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, one line for a clip, its threads and a way of access."""
    names = list(dict.fromkeys(row["reader"] for row in rows))
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        told = (
            f"{row['milliseconds']:.1f} ({row['speed']:.2f}x) / {row['cpu_milliseconds']:.1f} ({row['cpu_speed']:.2f}x)"
        )
        if row["right"] < 1:
            told += f", {row['right']:.0%} right"
        cells.setdefault((row["clip"], row["threads"], row["access"]), {})[row["reader"]] = told
    lines = ["| clip | threads | access | " + " | ".join(names) + " |", "| --- " * (3 + len(names)) + "|"]
    for key, cell in cells.items():
        lines.append(f"| {' | '.join(key)} | {' | '.join(cell.get(name, '') for name in names)} |")
    return "\n".join(
        ["Milliseconds by the clock / of all cores, medians; in brackets times OpenCV's speed.", "", *lines]
    )


if __name__ == "__main__":
    sys.exit(run(main))
