"""Draw which parts matter to the action of one video, and their states: parts against time.

    python tools/analysis/part_relevance.py RECORD.safetensors --data-root ROOT --out relevance.png
    python tools/analysis/part_relevance.py WORK_DIR VIDEO --data-root ROOT --out relevance.png

Reads a record of a system that predicts part relevance; no network is run. tools/test.py and tools/reproduce.py save
records of the test videos in WORK_DIR/parses/test, or in WORK_DIR/<system>/parses/test where systems share a work
folder; tools/parse_video.py with --record saves that of any video as OUT/<video>/record.safetensors. ROOT is the data
set whose names the system was trained with. In each frame it is the relevance of the person with the highest score.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, EXIT_HELP, run

RECORDS = "parses/test"


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parse_args(argv)

    from tpsparse.errors import InputError
    from tpsparse.structures import VideoParse
    from tpsparse.taxonomy import Taxonomy
    from tpsparse.visualization.relevance import check_names, check_picture, has_relevance, write_relevance

    if args.out.is_dir():
        raise InputError(f"{args.out} is a folder: give the name of a picture in it, such as {args.out / 'a.png'}")
    check_picture(args.out)
    path = record_of(args.record, args.video)
    parse = VideoParse.load(path)
    if parse.error is not None:
        raise InputError(f"{path} is of a video that could not be parsed ({parse.error}): repair it and test again")
    if not has_relevance(parse):
        told = "finds nobody" if not any(map(len, parse.frames)) else "says nothing of part relevance"
        raise InputError(f"{path} {told}: give a record of a system that predicts it, such as configs/systems/scu.py")
    taxonomy = Taxonomy.from_root(args.data_root)
    try:
        check_names(parse, taxonomy)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    write_relevance(args.out, parse, taxonomy)
    print(f"{args.out} is written")
    return DONE


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"{rest}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", type=Path, help="a saved record, a folder of records, or a system's work folder")
    parser.add_argument("video", nargs="?", help="the video's name without extension, where a folder is given")
    parser.add_argument("--data-root", required=True, metavar="ROOT", help="whose lists name parts, states and actions")
    parser.add_argument("--out", type=Path, default=Path("relevance.png"), metavar="FILE", help="the picture, PNG")
    return parser.parse_args(argv)


def record_of(place: Path, video: str | None) -> Path:
    """The file that the first two arguments mean.

    Raises:
        InputError: If a folder is given without a video, or has no record of it or several, or a file is given with
            one.
    """
    from tpsparse.errors import InputError

    if not place.is_dir():
        if video is not None:
            raise InputError(f"{place} is no folder: leave {video} out, or give the folder of its record")
        return place
    if video is None:
        raise InputError(f"{place} is a folder: name a video behind it")
    folders = [place, place / RECORDS, *sorted(place.glob(f"*/{RECORDS}"))]
    found = [path for folder in folders if (path := folder / f"{video}.safetensors").is_file()]
    if len(found) > 1:
        raise InputError(
            f"{place} has {len(found)} records of {video} ({', '.join(map(str, found))}): give one of them"
        )
    if not found:
        raise InputError(
            f"{place} has no record of {video}, nor have {place / RECORDS} and {place / '*' / RECORDS}: run "
            "tools/test.py on its system first, or give the record that tools/parse_video.py --record has written"
        )
    return found[0]


if __name__ == "__main__":
    sys.exit(run(main))
