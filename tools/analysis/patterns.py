"""Draw what the patterns of a temporal parser stand for: over time in an instance, and the frames they like.

    python tools/analysis/patterns.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos.py --out patterns
    python tools/analysis/patterns.py CONFIG CHECKPOINT --out DIR --instance "VIDEO/INSTANCE" --patterns 6

Runs the network on the instances that its config tests. OUT/instances/VIDEO/INSTANCE.png shows frames of an instance,
the pattern of the highest mean response between predicted boundaries, the responses of several over time, true and
predicted boundaries. OUT/patterns.png shows for each of the most used patterns the frames that excite it the most, at
most one an instance, with their actions; of how many frames each is the most active one is told in percent. Frames are
read from the cut instances; an instance without its video is drawn without them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tpsparse.cli import DONE, EXIT_HELP, SOME_SKIPPED, add_config_options, folder, positive, run

if TYPE_CHECKING:
    import numpy as np

    from tpsparse.datasets.problems import ProblemLog
    from tpsparse.visualization.patterns import ParsedInstance, PatternGallery

COLUMNS = 8
"""Frames of a pattern."""
SPARE = 3
"""How many times as many are kept, for those whose video cannot be read."""
DRAWN = 3
"""Instances that are drawn where none is named."""
PICTURE = 240
"""Pixels of the longer side of a frame on a picture."""
TOLD = 10


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parse_args(argv)

    from tpsparse.visualization.patterns import PatternGallery, instance_figure, strip_positions, write_figure

    network, dataset = network_and_data(args)
    keys = wanted_keys(args.instance, dataset)
    frames = FrameReader(dataset)
    gallery = PatternGallery(SPARE * COLUMNS)
    out = Path(args.out)
    drawn = []
    for instance in parsed(network, dataset, args.config):
        gallery.add(instance)
        if instance.key in keys:
            positions = strip_positions(len(instance.responses)).tolist()
            path = out / "instances" / f"{instance.key}.png"
            write_figure(path, instance_figure(instance, frames.pictures(instance.key, positions)))
            drawn.append(path)
    path = out / "patterns.png"
    write_figure(path, gallery_figure(gallery, frames, args.patterns))
    for each in (*drawn, path):
        print(f"{each} is written")
    return DONE if tell(dataset.problems) == 0 else SOME_SKIPPED


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    description, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"{rest}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", help="of a parser with patterns, as in configs/temporal_parsing/transparser_*")
    parser.add_argument("checkpoint", nargs="?", help="its weights (default: the last in the work folder)")
    parser.add_argument("--out", type=folder, required=True, metavar="DIR", help="where the pictures go")
    parser.add_argument(
        "--instance", nargs="+", default=[], metavar="KEY", help=f"VIDEO/INSTANCE (default: the first {DRAWN})"
    )
    parser.add_argument("--patterns", type=positive, default=8, metavar="N", help="how many patterns (default: 8)")
    add_config_options(parser)
    return parser.parse_args(argv)


def network_and_data(args: argparse.Namespace) -> tuple[Any, Any]:
    """The network with its weights, and the data set that its config tests.

    Raises:
        InputError: If the config is not of a temporal parser, or either cannot be had.
    """
    from mmengine.registry import init_default_scope

    from tpsparse.engine import config_taxonomy, fix_threads, load_config
    from tpsparse.errors import InputError
    from tpsparse.models.temporal_parsing import TemporalParser
    from tpsparse.parsing.network import load_network
    from tpsparse.registry import DATASETS, MODELS, SCOPE

    cfg = load_config(args.config, options=args.cfg_options, work_dir=args.work_dir)
    init_default_scope(SCOPE)
    fix_threads(cfg)
    kind = MODELS.get(cfg.get("model", {}).get("type", ""))
    if not (isinstance(kind, type) and issubclass(kind, TemporalParser)):
        raise InputError(f"config {args.config} parses no instances: give one of configs/temporal_parsing/")
    network = load_network(args.config, args.checkpoint or cfg.work_dir, config_taxonomy(cfg), args.cfg_options)
    return network, DATASETS.build(cfg.test_dataloader.dataset)


def wanted_keys(named: Sequence[str], dataset: Any) -> set[str]:
    """The instances to draw.

    Raises:
        InputError: If one is not in the data set.
    """
    from tpsparse.errors import InputError

    known = [instance.key for instance in dataset.instances]
    for key in named:
        if key not in known:
            where = f"{dataset.index.root} ({dataset.index.subset})"
            raise InputError(f"{where} has no usable instance {key}: give one such as {known[0]}")
    return set(named or known[:DRAWN])


def parsed(network: Any, dataset: Any, config: str) -> Iterator[ParsedInstance]:
    """Every instance of a data set that can be read, as the network sees it.

    Raises:
        InputError: If the network has no patterns.
    """
    from tqdm import tqdm

    from tpsparse.errors import InputError
    from tpsparse.visualization.patterns import ParsedInstance

    actions = dataset.taxonomy.actions
    for number in tqdm(range(len(dataset)), desc="instances", unit="instance"):
        item = dataset[number]
        if item["data_samples"].key != dataset.instances[number].key:
            continue  # another has taken the place of one that cannot be read
        sample = network.predict([item])[0].cpu()
        if "responses" not in sample:
            raise InputError(f"config {config} is of a parser without patterns: give one of a TransParser")
        yield ParsedInstance(
            key=sample.key,
            action=actions[sample.label] if sample.label >= 0 else None,
            fps=sample.fps,
            boundaries=sample.boundaries.numpy(),
            predicted=sample.pred_boundaries.numpy(),
            responses=sample.responses.float().numpy(),
        )


class FrameReader:
    """Frames of instances, from their videos, small enough for pictures; what cannot be read is told once."""

    def __init__(self, dataset: Any) -> None:
        self.index, self.problems = dataset.index, dataset.problems
        self.instances = {instance.key: instance for instance in dataset.instances}

    def pictures(self, key: str, positions: Sequence[int]) -> list[np.ndarray] | None:
        """Frames (h, w, 3) at positions counted from 0; None where the video cannot be read."""
        from tpsparse.datasets.instances.layout import instance_file
        from tpsparse.datasets.video import Video
        from tpsparse.errors import InputError

        try:
            frames = Video(self.index.video(self.instances[key])).frames([position + 1 for position in positions])
        except InputError as error:
            path = instance_file(self.index.root, key)
            self.problems.add("picture", path, str(error).removeprefix(f"{path} "))
            return None
        return [reduced(frame) for frame in frames]


def reduced(frame: np.ndarray) -> np.ndarray:
    """A frame whose longer side is at most :data:`PICTURE` pixels."""
    import cv2

    scale = PICTURE / max(frame.shape[:2])
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame


def gallery_figure(gallery: PatternGallery, frames: FrameReader, count: int) -> Any:
    """The most used patterns with the frames that excite them the most, those of unreadable videos left out."""
    from tpsparse.visualization.patterns import patterns_figure

    rows = []
    for pattern in gallery.most_used(count):
        shown: list[Any] = []
        for excited in gallery.best(pattern):
            pictures = frames.pictures(excited.key, [excited.position])
            if pictures is not None:
                shown.append((excited, pictures[0]))
            if len(shown) == COLUMNS:
                break
        rows.append((pattern, gallery.uses[pattern] / gallery.uses.sum(), shown))
    return patterns_figure(rows)


def tell(problems: ProblemLog) -> int:
    """Print the first problems, and how many there are; that number."""
    listed = list(problems)
    for problem in listed[:TOLD]:
        print(problem, file=sys.stderr)
    if len(listed) > TOLD:
        print(f"and {len(listed) - TOLD} more", file=sys.stderr)
    return len(listed)


if __name__ == "__main__":
    sys.exit(run(main))
