"""A collection of short videos in which one in ten is broken in one of eight ways, as collections from the web are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

WHOLE = "whole"
FPS = 10
SIZE = (32, 64)
LONG_NAME = 200


def write_collection(folder: Path, count: int = 40, seed: int = 0) -> dict[Path, str]:
    """Write ``count`` videos; path to what it is: :data:`WHOLE` or one of :data:`KINDS`.

    One video in ten is broken. The ways take turns, beginning with way ``seed`` modulo 8, so that 80 videos have each
    of them once. The same arguments give the same files.

    Args:
        folder: Is made; the videos of every fourth number are in its folder ``more``.
        count: Of videos, the broken ones among them.
        seed: Of names, pictures and places.
    """
    generator = np.random.default_rng(seed)
    broken = np.sort(generator.choice(count, size=count // 10, replace=False)).tolist()
    collection = {}
    for number in range(count):
        kind = list(KINDS)[(broken.index(number) + seed) % len(KINDS)] if number in broken else WHOLE
        name = long_name(number) if kind == "long name" else f"video {number:04d} ({seed}).mp4"
        path = folder / ("more" if number % 4 == 3 else ".") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        clip = encoded(pictures(generator, frames=1 if kind == "one frame" else 6))
        path.write_bytes(KINDS.get(kind, bytes)(clip))
        collection[path] = kind
    return collection


def pictures(generator: np.random.Generator, frames: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """A rectangle that moves on a plain ground: ``frames`` pictures (H, W, 3) uint8."""
    ground, colour = generator.integers(0, 256, (2, 3))
    top, left = (int(generator.integers(0, max(1, side // 2))) for side in size)
    images = []
    for number in range(frames):
        image = np.full((*size, 3), ground, dtype=np.uint8)
        image[top : top + 12, left + number : left + number + 12] = colour
        images.append(image)
    return images


def encoded(images: list[np.ndarray], pixels: str = "yuv420p") -> bytes:
    """An H.264 MP4 of pictures with its index in front, as those that are made to be streamed."""
    with TemporaryDirectory() as folder:  # the index is moved to the front in a file that is read again
        path = Path(folder, "clip.mp4")
        with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
            # Slower presets do not always give the same bytes for the same pictures.
            stream = file.add_stream("libx264", rate=FPS, options={"threads": "1", "preset": "ultrafast"})
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = pixels
            for image in images:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            file.mux(stream.encode(None))
        return path.read_bytes()


def long_name(number: int) -> str:
    """A name of 200 characters with spaces and quotes of both kinds."""
    name = f"""{number:04d} he said "it's a 'video'" and """
    return (name * LONG_NAME)[: LONG_NAME - len(".mp4")] + ".mp4"


def _of_words(_: bytes) -> bytes:
    """An archive that someone has named .mp4."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("words.txt"), "words " * 500)
    return file.getvalue()


def _sound(_: bytes) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=16000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.time_base = 16000, Fraction(1, 16000)
        for number in range(8):
            frame.planes[0].update(np.zeros(1024, dtype=np.float32).tobytes())
            frame.pts = 1024 * number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def _one_pixel(_: bytes) -> bytes:
    return encoded([np.full((1, 1, 3), 40 * number, dtype=np.uint8) for number in range(6)], pixels="yuv444p")


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda clip: b"",
    "truncated header": lambda clip: clip[: clip.index(b"moov") + 100],
    "truncated inside": lambda clip: clip[:-40],
    "wrong type": _of_words,
    "audio only": _sound,
    "one pixel": _one_pixel,
    "one frame": bytes,
    "long name": bytes,
}
"""The eight ways: what of a whole video each makes."""
USABLE = ("one pixel", "one frame", "long name")
"""Of the eight ways those that leave a video that can be decoded: odd, but nothing to skip."""
