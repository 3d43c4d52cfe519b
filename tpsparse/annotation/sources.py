"""Which videos are to be labelled, under which action and name, and in which split.

What was once decided is kept in ``ROOT/annotate/videos.json``: a video that is there never changes its name or split,
whatever is added later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from ..datasets.layout import VIDEO_SUFFIXES
from ..datasets.problems import ProblemLog
from ..errors import InputError
from ..structures.files import write_json

TRAIN, TEST, BOTH = "train", "test", "both"


@dataclass(frozen=True)
class Source:
    """One video as it was given, and what it becomes.

    Args:
        file: Name of the file it was read from.
        size: Of that file, in bytes; with file and action it tells one video from another.
        action: Its label.
        name: Unique in the data set; where the video is cut, what its clips' names begin with.
        split: ``train`` or ``test``, or ``both`` for the only video of an action, whose last clips are for testing.
        clip_seconds: How long its clips are about; None for a video that stays whole.
        test_share: Of its clips, where the split is ``both``.
    """

    file: str
    size: int
    action: str
    name: str
    split: str
    clip_seconds: float | None = None
    test_share: float = 0.0

    @property
    def key(self) -> tuple[str, str, int]:
        """What is the same when the same video is given again."""
        return self.action, self.file, self.size

    def clip_splits(self, count: int) -> list[str]:
        """The split of each of the video's ``count`` clips."""
        if self.split != BOTH:
            return [self.split] * count
        tests = min(max(round(self.test_share * count), 1), count - 1)
        return [TRAIN] * (count - tests) + [TEST] * tests


def source_key(action: str, path: Path) -> tuple[str, str, int]:
    """The key of a video that is given; see :attr:`Source.key`."""
    return action, path.name, path.stat().st_size


def find_videos(given: Sequence[Path], *, action: str | None = None, leave_out: Path | None = None) -> dict[Path, str]:
    """Video files and their actions, in the order given and by name within a folder.

    Args:
        given: Video files, or folders.
        action: Label of all; without one, the folders inside a given folder are the actions.
        leave_out: A folder whose videos are not taken.

    Raises:
        InputError: If something given is missing, there is no video, a video has no action, or an action's name cannot
            be a folder's.
    """
    if action is not None:
        _check_action(action)
    videos: dict[Path, str] = {}
    for place in given:
        for path in _videos_of(place):
            if leave_out is None or leave_out.resolve() not in path.resolve().parents:
                videos.setdefault(path, action if action is not None else _folder_action(place, path))
    if not videos:
        raise InputError(f"{given[0]} has no video ({', '.join(VIDEO_SUFFIXES)}): check the path")
    return videos


def plan_sources(
    videos: dict[Path, str],
    known: Iterable[Source],
    *,
    test_share: float,
    seed: int = 0,
    clip_seconds: float | None = None,
    problems: ProblemLog,
) -> dict[Path, Source]:
    """Names and splits of the videos: those decided before, and new ones for new videos.

    Of each action about ``test_share`` goes to the test split, at least one and not all where there are two or more:
    those whose names come first in the order of a seeded hash. Clips of one video share a split, since they look
    alike; only of an action's single video that is cut, the last clips are for testing.
    """
    by_key = {source.key: source for source in known}
    taken = {source.name for source in by_key.values()}
    planned: dict[Path, Source] = {}
    new: dict[Path, tuple[str, str]] = {}
    keys: dict[tuple[str, str, int], Path] = {}
    for path, action in videos.items():
        key = source_key(action, path)
        if key in keys:
            problems.add("video", path, f"has the action, name and size of {keys[key]}: remove or rename one")
            continue
        keys[key] = path
        if key in by_key:
            planned[path] = by_key[key]
            continue
        new[path] = (action, _free_name(path.stem, action, taken))
        taken.add(new[path][1])
    actions = [action for action, _ in new.values()]
    tests = _choose_tests(new.values(), by_key.values(), test_share, seed)
    for path, (action, name) in new.items():
        split = TEST if name in tests else TRAIN
        alone = sum(source.action == action for source in by_key.values()) + actions.count(action) == 1
        if alone and clip_seconds is not None and test_share > 0:
            split = BOTH
        share = test_share if split == BOTH else 0.0
        planned[path] = Source(path.name, path.stat().st_size, action, name, split, clip_seconds, share)
    return {path: planned[path] for path in videos if path in planned}


def read_sources(path: Path) -> list[Source]:
    """What was decided before; nothing where there is no file.

    Raises:
        InputError: If the file is broken.
    """
    if not path.is_file():
        return []
    try:
        return [Source(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}): restore it, or choose another --out") from error


def write_sources(path: Path, sources: Iterable[Source]) -> None:
    """Keep what is decided."""
    write_json(path, [asdict(source) for source in sources])


def _videos_of(place: Path) -> list[Path]:
    if place.is_dir():
        found = (path for path in place.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
        return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts))
    if not place.is_file():
        raise InputError(f"{place} is missing: check the path")
    return [place]


def _folder_action(place: Path, path: Path) -> str:
    inside = path.relative_to(place).parts if place.is_dir() else ()
    if len(inside) < 2:
        raise InputError(f"{path} is in no action's folder: give --action NAME, or a folder with one folder an action")
    return inside[0]


def _check_action(action: str) -> None:
    if not action.strip() or action != action.strip() or action.startswith(".") or "/" in action or "\\" in action:
        raise InputError(f"action {action!r} cannot be the name of a folder: give another --action")


def _free_name(stem: str, action: str, taken: set[str]) -> str:
    """The file's own name; where another video has it, with the action before it, then with a number behind."""
    names = (f"{action}_{stem}" + (f"_{number}" if number > 1 else "") for number in count(1))
    return stem if stem not in taken else next(name for name in names if name not in taken)


def _choose_tests(new: Iterable[tuple[str, str]], known: Iterable[Source], test_share: float, seed: int) -> set[str]:
    """Names of the new videos, given as action and name, that go to the test split."""
    by_action: dict[str, list[str]] = {}
    for action, name in new:
        by_action.setdefault(action, []).append(name)
    known = list(known)
    tests: set[str] = set()
    for action, names in by_action.items():
        before = [source.split for source in known if source.action == action]
        total = len(before) + len(names)
        wanted = min(max(round(test_share * total), 1), total - 1) if test_share > 0 else 0
        room = max(wanted - before.count(TEST) - before.count(BOTH), 0)
        if not {TRAIN, BOTH} & set(before):
            room = min(room, len(names) - 1)
        tests.update(sorted(names, key=lambda name: _hash(seed, name))[:room])
    return tests


def _hash(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
