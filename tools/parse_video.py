"""Parse videos: persons, parts, states and the action, as parse.json and an overlay video for each input."""

from __future__ import annotations

import argparse
import sys
from itertools import count
from pathlib import Path

from tqdm import tqdm

from tpsparse.cli import DONE, EXIT_HELP, FAILED, SOME_SKIPPED, add_config_options, add_runtime, folder, positive, run
from tpsparse.errors import InputError, UnwritableError


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_HELP)
    parser.add_argument("config", help="a system config, as in configs/systems/")
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="video files, or folders of them")
    parser.add_argument("--out", type=folder, required=True, help="OUT/<video>/parse.json and overlay.mp4 are written")
    parser.add_argument("--every", type=positive, default=1, metavar="N", help="parse every N-th frame (default: 1)")
    parser.add_argument(
        "--record", action="store_true", help="write OUT/<video>/record.safetensors too, for tools/analysis/"
    )
    parser.add_argument(
        "--min-state-score",
        type=_probability,
        default=0.5,
        metavar="P",
        help="the states of a part in parse.json and the overlay are those above this probability (default: 0.5)",
    )
    add_runtime(parser)
    add_config_options(parser)
    args = parser.parse_args(argv)

    from tpsparse import apis
    from tpsparse.structures.folder_lock import folder_lock

    paths = _videos(args.videos)
    with folder_lock(args.out, remedy="give another --out"):
        system, taxonomy = apis.build_parser(
            args.config,
            work_dir=args.work_dir,
            options=args.cfg_options,
            frame_step=args.every,
            runtime=args.runtime,
        )
        failed = 0
        for path, target in tqdm(list(zip(paths, _folders(Path(args.out), paths))), desc="parse", unit="video"):
            try:
                apis.parse_to_folder(
                    system, taxonomy, path, target, record=args.record, min_state_score=args.min_state_score
                )
                tqdm.write(f"{target}")
            except UnwritableError:  # no fault of the video
                raise
            except InputError as error:
                failed += 1
                tqdm.write(f"error: {error} (skipped)", file=sys.stderr)
    if failed:
        print(f"skipped {failed} of {len(paths)} videos, listed above", file=sys.stderr)
    return DONE if not failed else SOME_SKIPPED if failed < len(paths) else FAILED


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def _videos(given: list[Path]) -> list[Path]:
    from tpsparse.datasets.layout import VIDEO_SUFFIXES

    paths: list[Path] = []
    for path in given:
        if path.is_dir():
            paths += sorted(child for child in path.rglob("*") if child.suffix.lower() in VIDEO_SUFFIXES)
        else:
            paths.append(path)
    if not paths:
        raise InputError(f"{given[0]} has no video ({', '.join(VIDEO_SUFFIXES)}): check the path")
    return paths


def _folders(out: Path, paths: list[Path]) -> list[Path]:
    """One folder a video; a second video of the same name gets a number."""
    folders: list[Path] = []
    for path in paths:
        names = (path.stem if number == 1 else f"{path.stem}_{number}" for number in count(1))
        folders.append(next(out / name for name in names if out / name not in folders))
    return folders


if __name__ == "__main__":
    sys.exit(run(main))
