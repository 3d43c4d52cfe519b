"""Named splits of the official training videos, in ``ROOT/splits/<name>.json``.

    dap          2,686 train, 1,123 val of the 3,809 videos of Kinetics-TPS
    runner_up    3,000 train, 809 val
    all          every video in train, val is empty
    <k>fold      subsets 0 to k - 1; fold i trains on all but subset i and validates on it

The sizes of ``dap`` and ``runner_up`` are those of the reports that they are named after (technical reports of the
DeeperAction challenge, 2021). The reports' own lists were never published, so these are not theirs: they are drawn from
a seed. With another number of videos the shares are the same, rounded.

Videos are drawn within each action, in the order of SHA-256 over seed, action and name. So the lists follow from the
names alone, the val of ``runner_up`` has hardly a video that that of ``dap`` has not, and a video that is added moves
at most a few others. A split's name is ``<name>/<subset>``: ``dap/train``, ``5fold/0/val``.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError
from ..structures.files import write_json
from .layout import SPLITS, video_paths

OFFICIAL = 3809
"""Training videos of Kinetics-TPS, of which the reports' sizes are."""

TRAIN, VAL = "train", "val"
FOLDS = re.compile(r"(\d+)fold")
COMMAND = "python tools/prepare_data.py splits"


class HeldOut(NamedTuple):
    """How many of the official videos a published system kept for validation, and where it says so."""

    videos: int
    source: str


HELD_OUT = {
    "dap": HeldOut(1123, "2,686 train and 1,123 val of 3,809 videos: report of DAP, DeeperAction challenge 2021"),
    "runner_up": HeldOut(809, "3,000 train and 809 val of 3,809 videos: report of the runner-up, the same challenge"),
}
NAMES = (*HELD_OUT, "all")

Subsets = dict[str, list[str]]
Actions = dict[str, list[str]]


def write_splits(
    root: Path,
    *,
    names: Sequence[str] = NAMES,
    folds: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> list[str]:
    """Write ``ROOT/splits/<name>.json`` for each name, and for the folds; nothing is written if one is refused.

    Args:
        root: A data set in the official layout; only its training videos are looked at.
        names: Of ``dap``, ``runner_up`` and ``all``.
        folds: Also write this many folds.
        seed: Decides, with the videos' names, which videos are drawn.
        overwrite: Replace files that are there and list other videos.

    Returns:
        A line for each split: its file, sizes, and whether it was there already.

    Raises:
        InputError: If a name is not known, there are no training videos, there are more folds than videos, or a file is
            there that lists other videos.
    """
    actions = _videos_by_action(root)
    documents = [_named(name, actions, seed, root) for name in dict.fromkeys(names)]
    if folds is not None:
        documents.append(_folds(folds, actions, seed, root))
    paths = [split_file(root, document["name"]) for document in documents]
    same = [_is_there(path, document["subsets"], overwrite) for path, document in zip(paths, documents)]
    lines = []
    for path, document, kept in zip(paths, documents, same):
        if not kept:
            write_json(path, document)
        sizes = ", ".join(f"{subset} {len(videos)}" for subset, videos in document["subsets"].items())
        lines.append(f"{path}: {sizes} videos" + (" (there already)" if kept else ""))
    return lines


def read_split(root: Path, split: str) -> list[str] | None:
    """Which training videos a named split has, as ``<action>/<file name>``; None for the official train and test.

    Raises:
        InputError: If the split is not known, its file is missing or cannot be read, or it has no such subset.
    """
    if split in SPLITS:
        return None
    name, _, subset = split.partition("/")
    if not re.fullmatch(r"\w[\w.-]*", name) or not subset:
        told = f"use {', '.join(SPLITS)}, or one of a file in {root / 'splits'} such as dap/val or 5fold/0/train"
        raise InputError(f"{root} has no split {split!r}: {told}")
    path = split_file(root, name)
    if not path.is_file():
        raise InputError(f"{path} is missing: {_remedy(name, root)}")
    return _subset(path, _read_subsets(path, name, root), subset)


def split_file(root: Path, name: str) -> Path:
    """Where the split of this name lies."""
    return root / "splits" / f"{name}.json"


def shares(counts: Sequence[int], total: int) -> list[int]:
    """How many of each group are drawn, in proportion to the groups, by the method of largest remainders.

    A group of two or more gives at least one and keeps at least one; a group of one gives none. Ties go to the earlier
    group. The sum is ``total`` wherever these bounds leave room for it.

    Args:
        counts: Members of each group.
        total: Members to draw of all groups together.
    """
    everyone = sum(counts)
    lowest = [min(1, count - 1) for count in counts]
    highest = [max(0, count - 1) for count in counts]
    drawn = [min(max(count * total // everyone, low), high) for count, low, high in zip(counts, lowest, highest)]
    groups = range(len(counts))

    def owed(group: int) -> int:
        """What a group's share lacks, in units of 1 / everyone: whole numbers, so that ties are ties."""
        return counts[group] * total - drawn[group] * everyone

    while sum(drawn) < total and (open_groups := [group for group in groups if drawn[group] < highest[group]]):
        drawn[max(open_groups, key=owed)] += 1
    while sum(drawn) > total and (open_groups := [group for group in groups if drawn[group] > lowest[group]]):
        drawn[min(open_groups, key=owed)] -= 1
    return drawn


def _videos_by_action(root: Path) -> Actions:
    actions: Actions = {}
    for path in video_paths(root, TRAIN):
        actions.setdefault(path.parent.name, []).append(path.name)
    if not actions:
        raise InputError(f"{root / 'train_videos'} has no videos: put them at <action>/<video>.mp4 in it")
    return actions


def _named(name: str, actions: Actions, seed: int, root: Path) -> dict[str, Any]:
    if name not in NAMES:
        raise InputError(f"{split_file(root, name)} is not a split that can be drawn: use {', '.join(NAMES)}, or folds")
    if name == "all":
        everything = sorted(f"{action}/{file}" for action, files in actions.items() for file in files)
        return _document(name, None, "every official training video", {TRAIN: everything, VAL: []})
    counts = [len(files) for files in actions.values()]
    total = _rounded(sum(counts) * HELD_OUT[name].videos, OFFICIAL)
    subsets: Subsets = {TRAIN: [], VAL: []}
    for (action, files), held in zip(actions.items(), shares(counts, total)):
        ordered = [f"{action}/{file}" for file in _in_order(action, files, seed)]
        subsets[VAL] += ordered[:held]
        subsets[TRAIN] += ordered[held:]
    return _document(name, seed, HELD_OUT[name].source, subsets)


def _folds(folds: int, actions: Actions, seed: int, root: Path) -> dict[str, Any]:
    total, path = sum(map(len, actions.values())), split_file(root, f"{folds}fold")
    if not 2 <= folds <= total:
        raise InputError(f"{path} cannot be drawn from {total} videos: give between 2 folds and one a video")
    subsets: Subsets = {str(fold): [] for fold in range(folds)}
    turn = 0  # the folds take turns at an action's odd videos, so that their sizes differ by one at most
    for action, files in actions.items():
        ordered = iter(_in_order(action, files, seed))
        each, odd = divmod(len(files), folds)
        # Runs in hash order: a video that is added then moves no more than one other from each fold to the next.
        for fold in range(folds):
            size = each + ((fold - turn) % folds < odd)
            subsets[str(fold)] += [f"{action}/{next(ordered)}" for _ in range(size)]
        turn += odd
    return _document(f"{folds}fold", seed, "equal folds", subsets)


def _document(name: str, seed: int | None, source: str, subsets: Subsets) -> dict[str, Any]:
    note = (
        "Drawn by tpsparse from the seed, by video and within each action; not the lists of any report, which were "
        "never published. An action with one video has it in train, or in one fold."
    )
    drawn = {"seed": seed, "source": source, "note": note} if seed is not None else {"source": source}
    return {"name": name, **drawn, "subsets": {subset: sorted(videos) for subset, videos in subsets.items()}}


def _in_order(action: str, files: Iterable[str], seed: int) -> list[str]:
    def digest(file: str) -> tuple[str, str]:
        # File systems differ in how they compose accents; the container's suffix is not part of a video's name.
        text = unicodedata.normalize("NFC", f"{seed}/{action}/{Path(file).stem}")
        return hashlib.sha256(text.encode("utf-8")).hexdigest(), file

    return sorted(files, key=digest)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _is_there(path: Path, subsets: Subsets, overwrite: bool) -> bool:
    """Whether the file has these subsets already.

    Raises:
        InputError: If it has others and may not be replaced.
    """
    if not path.exists():
        return False
    try:
        same = json.loads(path.read_text(encoding="utf-8"))["subsets"] == subsets
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same and not overwrite:
        raise InputError(f"{path} lists other videos: keep it, or replace it with --overwrite")
    return same


def _read_subsets(path: Path, name: str, root: Path) -> Subsets:
    try:
        subsets = json.loads(path.read_text(encoding="utf-8"))["subsets"]
        lists = list(subsets.values())
        sound = lists and all(isinstance(videos, list) and all(map(_is_video, videos)) for videos in lists)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        remedy = f"restore it, or remove it and {_remedy(name, root)}"
        raise InputError(f'{path} is not {{"subsets": {{"train": ["<action>/<file name>", ...], ...}}}}: {remedy}')
    return subsets


def _is_video(entry: Any) -> bool:
    return isinstance(entry, str) and len(entry.split("/")) == 2 and all(entry.split("/"))


def _subset(path: Path, subsets: Subsets, subset: str) -> list[str]:
    if subset in subsets and not FOLDS.fullmatch(path.stem):
        return list(subsets[subset])
    fold, _, side = subset.partition("/")
    if FOLDS.fullmatch(path.stem) and fold in subsets and side in (TRAIN, VAL):
        chosen = [videos for key, videos in subsets.items() if (key == fold) == (side == VAL)]
        return sorted(video for videos in chosen for video in videos)
    known = [f"{key}/{side}" for key in subsets for side in (TRAIN, VAL)] if FOLDS.fullmatch(path.stem) else [*subsets]
    raise InputError(f"{path} has no subset {subset!r}: use one of {', '.join(known)}")


def _remedy(name: str, root: Path) -> str:
    folds = FOLDS.fullmatch(name)
    if not folds and name not in NAMES:
        return f"put the split there, or use one of {', '.join(NAMES)} and <k>fold"
    return f"write it with `{COMMAND} {root}" + (f" --folds {folds[1]}`" if folds else f" --names {name}`")
