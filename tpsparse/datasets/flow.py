"""Optical flow of a data set's videos as images: TV-L1 between neighbouring frames, as TSN reads it.

    ROOT/<split>_flow/flow.json                              how all flow of the split was made
    ROOT/<split>_flow/<action>/<video>/flow_x_00001.jpg      to the right, from frame 1 to frame 2
    ROOT/<split>_flow/<action>/<video>/flow_y_00001.jpg      downwards
    ROOT/<split>_flow/<action>/<video>/video.json            which video it was; written last

Of a data set in TAPOS's layout it is ``ROOT/instances_flow``, by source video and instance.

A pair of frames is numbered by its first frame, from 1; a video of n frames has n - 1 pairs. A single frame has one
pair, in which nothing moves. Displacements are in pixels of the reduced frames, cut to [-bound, bound] and mapped
linearly to [0, 255] (Wang et al., Temporal Segment Networks, 2016, with a bound of 20). TV-L1 is OpenCV's, after Perez
et al., TV-L1 Optical Flow Estimation, 2013.
Shapes: T pairs of height H and width W; flow (T, H, W, 2), horizontal and then vertical.
"""

from __future__ import annotations

import json
import shlex
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from .extraction import VIDEO_FILE, Job, Kind, extract_all, reduced_size, write_folder
from .layout import flow_folder, flow_name, flow_of
from .problems import ProblemLog
from .video import Video, open_video

VERSION = 1
CACHE_BYTES = 1 << 27
"""Computed flow that one process keeps: a few videos, which several networks of a system ask for in turn."""
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]
EFFORTS: dict[str, dict[str, Any]] = {
    "full": {},  # OpenCV's own parameters
    # Fewer levels, warps and iterations: 12 ms in place of 117 for a pair of 72 x 96 pixels on one core. On 20 pairs of
    # drawn people it differs from "full" by 0.08 pixels in the mean, by 0.26 where "full" has motion above 1 pixel.
    "quick": dict(nscales=3, scaleStep=0.5, warps=3, innnerIterations=8, outerIterations=1),
}
"""OpenCV's parameters of TV-L1 (it writes three n) by how much work is put into a pair."""


@dataclass(frozen=True)
class FlowSettings:
    """How flow is made.

    Attributes:
        short_side: Pixels of the frames' short side at most.
        bound: Pixels that the values 0 and 255 stand for, to the left and up, and to the right and down.
        effort: "full" or "quick", see :data:`EFFORTS`.
    """

    short_side: int = 256
    bound: int = 20
    effort: str = "full"
    algorithm: str = "TV-L1"
    version: int = VERSION

    def options(self) -> str:
        """The options of the tool that say the same."""
        return f"--short-side {self.short_side} --bound {self.bound} --effort {self.effort}"

    def check(self, told: object) -> None:
        """Refuse what flow cannot be made with; ``told`` begins the message.

        Raises:
            InputError: If a value is not one of those there are, or OpenCV has no TV-L1.
        """
        if self.effort not in EFFORTS:
            raise InputError(f"{told}: flow has no effort {self.effort!r}: use {' or '.join(EFFORTS)}")
        if self.short_side < 1:
            raise InputError(f"{told}: flow cannot have a short side of {self.short_side} pixels: use 1 or more")
        if self.bound < 1:
            raise InputError(f"{told}: flow cannot have a bound of {self.bound} pixels: use 1 or more")
        _tvl1(self.effort)


class FlowFolder:
    """The extracted flow of one video, asked for by numbers of frames.

    Attributes:
        size: (H, W) of the images.
        num_frames: Of the video.
        about: What ``video.json`` says.

    Raises:
        InputError: If the folder has no whole set of flow.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            about = json.loads((self.path / VIDEO_FILE).read_text(encoding="utf-8"))
            self.num_frames: int = about["num_frames"]
            self.size: tuple[int, int] = tuple(about["size"])
            self.settings = FlowSettings(**about["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path} has no whole set of flow: run tools/prepare_data.py flow") from error
        self.about: dict[str, Any] = about

    def flow(self, numbers: Sequence[int]) -> np.ndarray:
        """Quantised flow (T, H, W, 2), uint8, from each of these frames; see :func:`first_frames`.

        Raises:
            InputError: If a number is not in the video, or an image cannot be read or has not the folder's size.
        """
        firsts = first_frames(numbers, self.num_frames, self.path)
        if not len(firsts):
            return np.zeros((0, *self.size, 2), dtype=np.uint8)
        distinct, places = np.unique(firsts, return_inverse=True)
        pairs = [np.stack([self._read(axis, int(first)) for axis in "xy"], axis=-1) for first in distinct]
        return np.stack(pairs)[places]

    def _read(self, axis: str, number: int) -> np.ndarray:
        path = self.path / flow_name(axis, number)
        try:
            image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
        except (OSError, cv2.error):  # cv2 raises on no bytes at all
            image = None
        remedy = "remove its folder and run tools/prepare_data.py flow again"
        if image is None:
            raise InputError(f"{path} cannot be read: {remedy}")
        if image.shape != self.size:
            found, wanted = ("x".join(map(str, size)) for size in (image.shape, self.size))
            raise InputError(f"{path} is {found}, not {wanted}: {remedy}")
        return image


def first_frames(numbers: Sequence[int], num_frames: int, told: object) -> np.ndarray:
    """First frame (T,) of the pair that is taken for each frame: the last frame takes the pair in which it is second.

    Raises:
        InputError: If a number is not in the video; ``told`` begins the message.
    """
    array = np.asarray(numbers, dtype=np.int64)
    if array.size and (array.min() < 1 or array.max() > num_frames):
        wrong = array.min() if array.min() < 1 else array.max()
        raise InputError(f"{told} has frames 1 to {num_frames} but flow from frame {wrong} was asked for: replace it")
    return np.minimum(array, max(1, num_frames - 1))


def find_flow(path: Path, settings: FlowSettings) -> FlowFolder:
    """The extracted flow of a video in the official layout, made with these settings.

    Raises:
        InputError: If there is none, or it is of another video or made otherwise; the message says what to run.
    """
    place = flow_of(path)
    if place is None:
        raise InputError(f"{path} is in no data set of the official layout: its flow cannot have been extracted")
    root, folder = place
    run = f"run tools/prepare_data.py flow {shlex.quote(str(root))} {settings.options()}"
    try:
        written, num_bytes = (folder / VIDEO_FILE).stat().st_mtime_ns, path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} has no extracted flow: {run}") from error
    found = _opened(folder, written)
    if found.settings != settings:
        made = found.settings.options()
        raise InputError(f"{folder} is of flow made with {made}: remove {folder.parents[1]} and {run}")
    # By size alone: a copy of the data set has the same videos at other times.
    if found.about["video_bytes"] != num_bytes:
        raise InputError(f"{folder} is of another video than {path.name}: {run}")
    return found


@lru_cache(maxsize=8192)
def _opened(folder: Path, written: int) -> FlowFolder:
    """A folder, looked at once a process unless it is written anew, at ``written``."""
    return FlowFolder(folder)


class PairStore:
    """Computed flow of pairs (H, W, 2), the least recently used dropped first.

    Args:
        max_bytes: Of all pairs that are kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._bytes = 0
        self._held: OrderedDict[tuple, np.ndarray] = OrderedDict()

    def get(self, key: tuple) -> np.ndarray | None:
        """The pair kept under a key, or None."""
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def put(self, key: tuple, pair: np.ndarray) -> None:
        """Keep a pair, as long as there is room."""
        self._bytes += pair.nbytes - (self._held.pop(key).nbytes if key in self._held else 0)
        self._held[key] = pair
        while self._bytes > self.max_bytes:
            self._bytes -= self._held.popitem(last=False)[1].nbytes


PAIRS = PairStore(CACHE_BYTES)


def compute_flow(path: str | Path, numbers: Sequence[int], settings: FlowSettings) -> np.ndarray:
    """What :meth:`FlowFolder.flow` would read, but for the loss of JPEG, computed from the video; slow.

    A pair that was computed lately is not computed again, unless the file has changed.

    Raises:
        InputError: If a frame cannot be read, or OpenCV has no TV-L1.
    """
    video = open_video(str(path))
    firsts = first_frames(numbers, video.num_frames, path)
    try:
        now = video.path.stat()
    except OSError as error:
        raise InputError(f"{path} is missing: put it back") from error
    source = (str(video.path.absolute()), now.st_mtime_ns, now.st_size, settings)
    distinct, places = np.unique(firsts, return_inverse=True)
    known = {first: PAIRS.get((*source, first)) for first in distinct.tolist()}
    computed = _compute_pairs(video, [first for first, pair in known.items() if pair is None], settings)
    for first, pair in computed.items():
        PAIRS.put((*source, first), pair)
    return np.stack([computed[first] if pair is None else pair for first, pair in known.items()])[places]


def _compute_pairs(video: Video, firsts: list[int], settings: FlowSettings) -> dict[int, np.ndarray]:
    """Flow (H, W, 2) by the first frame of its pair."""
    wanted = sorted({number for first in firsts for number in (first, first + 1) if number <= video.num_frames})
    greys = dict(zip(wanted, (grey(frame, settings.short_side) for frame in video.frames(wanted))))
    return {first: pair_flow(greys[first], greys.get(first + 1), settings) for first in firsts}


def extract_flow(
    root: Path,
    *,
    short_side: int = 256,
    bound: int = 20,
    effort: str = "full",
    workers: int | None = None,
    progress: bool = True,
) -> ProblemLog:
    """Write the flow of every video of all splits, or what is still missing of it.

    A folder whose video has another size or time than when it was written is written again.

    Args:
        root: A data set in the official layout, which may have one split only, or one of cut instances in TAPOS's.
        short_side: Pixels of the frames' short side; smaller frames are not enlarged.
        bound: Displacement in pixels that is still told apart.
        effort: "full" for OpenCV's own parameters, "quick" for a tenth of their time.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.

    Returns:
        The videos that cannot be read, or not to their end.

    Raises:
        InputError: If there is no video, a parameter cannot be used, flow is there that was made otherwise, another
            run is writing it, the disk is full, or OpenCV has no TV-L1.
    """
    root, settings = Path(root), FlowSettings(short_side, bound, effort)
    settings.check(root)
    kind = Kind("flow", settings, flow_folder, FlowFolder, partial(_extract, settings=settings))
    return extract_all(root, kind, workers=workers, progress=progress)


def _extract(job: Job, settings: FlowSettings) -> dict[str, Any]:
    return write_folder(*job, partial(_write_pairs, settings=settings))


def _write_pairs(video: Video, folder: Path, settings: FlowSettings) -> dict[str, Any]:
    """Write the flow of all pairs; how many frames they are of, and what size they have."""
    before, number = None, 0
    for number, frame in video.decode():  # noqa: B007 - the last number is used
        image = grey(frame, settings.short_side)
        if before is not None:
            _write_pair(folder, number - 1, pair_flow(before, image, settings))
        before = image
    if before is not None and number == 1:
        _write_pair(folder, 1, pair_flow(before, None, settings))
    size = reduced_size(video.size, settings.short_side)
    return dict(num_frames=number, fps=video.fps, size=size, video_size=video.size, settings=settings.__dict__)


def _write_pair(folder: Path, number: int, flow: np.ndarray) -> None:
    for axis, image in zip("xy", np.moveaxis(flow, -1, 0)):
        content = cv2.imencode(".jpg", np.ascontiguousarray(image), _QUALITY)[1]
        (folder / flow_name(axis, number)).write_bytes(content.tobytes())


def grey(frame: np.ndarray, short_side: int) -> np.ndarray:
    """An RGB frame (H, W, 3) in grey, reduced to a short side of ``short_side`` at most."""
    image = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = reduced_size((image.shape[0], image.shape[1]), short_side)
    if image.shape == (height, width):
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def pair_flow(first: np.ndarray, second: np.ndarray | None, settings: FlowSettings) -> np.ndarray:
    """Quantised flow (H, W, 2), uint8, between two grey frames (H, W), or that of no motion without a second."""
    if second is None:
        return quantise(np.zeros((*first.shape, 2), dtype=np.float32), settings.bound)
    return quantise(_tvl1(settings.effort).calc(first, second, None), settings.bound)


def quantise(flow: np.ndarray, bound: float) -> np.ndarray:
    """Displacements in pixels cut to [-bound, bound] and mapped linearly to 0 ... 255, rounded; no motion is 128."""
    return np.rint((np.clip(flow, -bound, bound) + bound) * (255 / (2 * bound))).astype(np.uint8)


@lru_cache(maxsize=len(EFFORTS))
def _tvl1(effort: str) -> Any:
    """OpenCV's estimator, which keeps its buffers from pair to pair."""
    if not hasattr(cv2, "optflow"):
        raise InputError(
            f"{cv2.__file__} has no TV-L1 optical flow: run pip uninstall -y opencv-python opencv-contrib-python and "
            "then pip install 'opencv-contrib-python>=4.11,<4.12'"
        )
    # Missing from the types that come with OpenCV.
    return cv2.optflow.DualTVL1OpticalFlow_create(**EFFORTS[effort])  # type: ignore[attr-defined]
