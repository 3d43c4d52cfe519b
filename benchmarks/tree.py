"""Generate a data set in the official layout, a tenth of Kinetics-TPS: what the benchmarks of the data side read.

    python benchmarks/tree.py OUT [--videos 377] [--frames 57000] [--seed 0] [--workers N]

57,000 frame files of 377 training videos in 24 actions, and 92 test videos. The people of the annotations are drawn
numbers (``tree_content.py``); the videos all show one drawn scene, hard-linked under each name, so that decoding costs
what it costs for a moving picture and the tree stays small. The same parameters give the same files, to the bit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from measure import read_json
from tqdm import tqdm
from tree_content import ACTIONS, OBJECTS, PARTS, STATES, Counts, count, encode, video_frames

from tpsparse.cli import DONE, not_negative, positive, run
from tpsparse.datasets.layout import annotation_folder, frame_list, frame_name, videos_folder
from tpsparse.errors import InputError
from tpsparse.structures.files import write_json
from tpsparse.workers import Crashed, cores, run_pooled

VIDEOS, FRAMES = 377, 57_000  # a tenth of 3,809 and 574,851
TEST_SHARE = 932 / 3809
SIZE = (256, 340)
FPS = 30
MANIFEST = "tree.json"
_GRAIN = 4.0  # standard deviation of the noise that gives the drawn scene the bit rate of footage
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True)
class Video:
    """One video of the tree; everything drawn for it follows from ``seed`` and ``number``."""

    root: Path
    split: str
    number: int
    frames: int
    seed: int

    @property
    def action(self) -> str:
        """Actions take turns."""
        return ACTIONS[self.number % len(ACTIONS)]

    @property
    def name(self) -> str:
        """As the videos of Kinetics are named: eleven characters, first and last second."""
        letters = self.generator("name").integers(len(_ALPHABET), size=11)
        return "".join(_ALPHABET[i] for i in letters) + f"_{self.number:06d}_{self.number + 10:06d}"

    @property
    def path(self) -> Path:
        """Where the video lies."""
        return videos_folder(self.root, self.split) / self.action / f"{self.name}.mp4"

    def generator(self, use: str) -> np.random.Generator:
        """Random numbers of this video for one use."""
        key = (self.seed, self.split == "test", self.number, *use.encode())
        return np.random.default_rng(np.random.SeedSequence(key))


def make_tree(
    out: Path,
    *,
    videos: int = VIDEOS,
    frames: int = FRAMES,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Write the tree, or find it there already; it is moved into place when whole.

    Args:
        out: Its folder.
        videos: Annotated training videos; test videos are in proportion.
        frames: Frame files of all of them.
        seed: Of everything drawn.
        workers: Processes; None for one a core.
        progress: Whether to show a progress bar.

    Returns:
        The parameters, and how many frames, persons, parts and objects there are.

    Raises:
        InputError: If ``out`` holds something else, or there are fewer frames than videos.
    """
    parameters = dict(videos=videos, frames=frames, seed=seed, size=list(SIZE))
    if frames < videos:
        raise InputError(f"{out}: {frames} frames are too few for {videos} videos: give at least one a video")
    if out.exists():
        return _known(out, parameters)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    planned = _plan(partial, videos, frames, seed)
    _write_lists(partial, planned)
    _link_videos(partial, planned, seed)
    totals = Counts()
    train = [video for video in planned if video.split == "train"]
    written = run_pooled(write_annotations, train, workers or cores())
    for video, counts in tqdm(written, total=videos, desc="tree", unit="video", disable=not progress):
        if isinstance(counts, Crashed):
            raise InputError(f"{video.path} has no annotation, its process ended: see that memory is free and repeat")
        totals += counts
    manifest = {**parameters, "counts": asdict(totals)}
    write_json(partial / MANIFEST, manifest)
    partial.rename(out)
    return manifest


def write_annotations(video: Video) -> Counts:
    """Write the frame files of one video."""
    folder = annotation_folder(video.root, video.split, video.action, video.name)
    folder.mkdir(parents=True)
    action = ACTIONS.index(video.action)
    contents = video_frames(video.generator("people"), action, frames=video.frames, size=SIZE)
    for number, content in enumerate(contents, 1):
        (folder / frame_name(number)).write_bytes(encode(content))
    return count(contents)


def _known(out: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    manifest = read_json(out / MANIFEST) if (out / MANIFEST).is_file() else {}
    if {name: manifest.get(name) for name in parameters} != parameters:
        raise InputError(f"{out} holds something else than this tree: remove it or choose another folder")
    return manifest


def _plan(root: Path, videos: int, frames: int, seed: int) -> list[Video]:
    """Training videos share the frames evenly, the first ones having one more; test videos are as long as the last."""
    least, longer = divmod(frames, videos)
    train = [Video(root, "train", i, least + (i < longer), seed) for i in range(videos)]
    return train + [Video(root, "test", i, least, seed) for i in range(round(videos * TEST_SHARE))]


def _write_lists(root: Path, planned: list[Video]) -> None:
    (root / "list").mkdir(parents=True)
    lines = {"body_part.txt": PARTS, "part_stat.txt": STATES, "object.txt": OBJECTS}
    for name, words in lines.items():
        (root / "list" / name).write_text("\n".join(words) + "\n", encoding="utf-8")
    for split in ("train", "test"):
        rows = [f"{video.action}/{video.name}.mp4,{video.frames}\n" for video in planned if video.split == split]
        frame_list(root, split).write_text("".join(rows), encoding="utf-8")


def _link_videos(root: Path, planned: list[Video], seed: int) -> None:
    """One file for each length, under the names of all videos that are so long; all actions have a folder."""
    clips = {length: root / f"clip_{length}.mp4" for length in {video.frames for video in planned}}
    images = draw_scene(max(clips), seed)
    for length, clip in clips.items():
        encode_clip(clip, images[:length])
    for split in ("train", "test"):
        for action in ACTIONS:
            (videos_folder(root, split) / action).mkdir(parents=True)
    for video in planned:
        os.link(clips[video.frames], video.path)
    for clip in clips.values():
        clip.unlink()


def draw_scene(frames: int, seed: int) -> np.ndarray:
    """(T, H, W, 3) RGB of people who dance before a backdrop, with the grain of a camera."""
    from tpsparse.datasets.synthetic.actions import ACTIONS as DRAWN
    from tpsparse.datasets.synthetic.scene import plan_scene

    dance = next(action for action in DRAWN if action.name == "country_line_dancing")
    rng = np.random.default_rng(seed)
    scene = plan_scene(rng, dance, frames=frames, size=SIZE)
    images = np.stack([scene.render(t)[0] for t in range(frames)])
    grain = np.rint(rng.normal(0, _GRAIN, images.shape[:3])).astype(np.int16)
    return np.clip(images + grain[..., None], 0, 255).astype(np.uint8)


def encode_clip(path: Path, images: np.ndarray) -> None:
    """H.264 as video sites serve it: B-frames, a key frame at least every 250."""
    options = {"crf": "23", "preset": "veryfast", "threads": "1"}
    with av.open(str(path), "w", format="mp4", container_options={"fflags": "+bitexact"}) as file:
        stream: Any = file.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in images:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the tree")
    parser.add_argument("--videos", type=positive, default=VIDEOS, help="annotated training videos")
    parser.add_argument("--frames", type=positive, default=FRAMES, help="frame files of all of them")
    parser.add_argument("--seed", type=not_negative, default=0, help="of everything drawn")
    parser.add_argument("--workers", type=positive, help="processes (default: one a core)")
    args = parser.parse_args(argv)
    manifest = make_tree(args.out, videos=args.videos, frames=args.frames, seed=args.seed, workers=args.workers)
    told = ", ".join(f"{number:,} {kind}" for kind, number in manifest["counts"].items())
    print(f"{args.out}: {args.videos} videos, {told}")
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
