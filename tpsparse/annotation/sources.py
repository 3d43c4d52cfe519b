"""Which videos are to be labelled, under which action and name, in which split, and in how many clips.

What was once decided is kept in ``ROOT/annotate/videos.json``: a video that is there keeps its name, split and clips,
whatever is added later, until it is cut otherwise or replaced.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from pathlib import Path

from ..datasets.layout import VIDEO_SUFFIXES, is_text
from ..datasets.problems import ProblemLog
from ..errors import InputError
from ..structures.files import write_json
from .clips import clip_names

TRAIN, TEST, BOTH = "train", "test", "both"
# Of a file's beginning, middle and end: enough to tell two videos apart, and quick for long ones.
_SAMPLE_BYTES = 1 << 18
_REPLACED = "--redo puts it in that one's place, labels and all; rename it to have both"

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Source:
    """One video as it was given, and what it becomes.

    Args:
        file: Name of the file it was read from.
        digest: Of that file's content; with file and action it tells one video from another.
        action: Its label.
        name: Unique in the data set; where the video is cut, what its clips' names begin with.
        split: ``train`` or ``test``, or ``both`` for the only video of an action, whose last clips are for testing.
        clip_count: How many clips it is cut into; 1 for a video that stays whole.
        clip_seconds: How long its clips are about, as was asked for; None for whole videos.
        test_share: Of its clips, where the split is ``both``.
    """

    file: str
    digest: str
    action: str
    name: str
    split: str
    clip_count: int = 1
    clip_seconds: float | None = None
    test_share: float = 0.0

    @property
    def key(self) -> Key:
        """What is the same when the same video is given again."""
        return self.action, self.file, self.digest

    def clips(self) -> list[tuple[str, str]]:
        """Name and split of each clip."""
        splits = [self.split] * self.clip_count
        if self.split == BOTH:
            tests = min(max(round(self.test_share * self.clip_count), 1), self.clip_count - 1)
            splits = [TRAIN] * (self.clip_count - tests) + [TEST] * tests
        return list(zip(clip_names(self.name, self.clip_count), splits))


@dataclass(frozen=True)
class Choice:
    """How videos that were not seen before are cut and parted.

    Args:
        test_share: Of each action's videos, for the test split.
        seed: Of the choice of test videos.
        clip_seconds: Videos are cut into clips of about that length; None to keep new ones whole, and those that are
            known as they are.
        redo: Whether known videos that would now be cut otherwise, or were replaced, are decided anew.
    """

    test_share: float = 0.25
    seed: int = 0
    clip_seconds: float | None = None
    redo: bool = False


@dataclass
class Plan:
    """What is to be done.

    Attributes:
        sources: The videos that can be labelled.
        dropped: What was decided before and no longer holds: its clips are to be removed.
        cut_otherwise: Videos that stay as they are cut, though other clips were asked for.
    """

    sources: dict[Path, Source] = field(default_factory=dict)
    dropped: list[Source] = field(default_factory=list)
    cut_otherwise: int = 0


@dataclass(frozen=True)
class _New:
    key: Key
    name: str
    clip_count: int
    clip_seconds: float | None


def find_videos(given: Sequence[Path], *, action: str | None = None, leave_out: Path | None = None) -> dict[Path, str]:
    """Video files and their actions, in the order given and by name within a folder.

    Args:
        given: Video files, or folders.
        action: Label of all; without one, the folders inside a given folder are the actions.
        leave_out: A folder whose videos are not taken.

    Raises:
        InputError: If something given is missing, there is no video, a video has no action, or an action's name cannot
            stand in lists and be a folder's.
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
    choice: Choice,
    *,
    count_clips: Callable[[Path, float | None], int | None],
    others: Iterable[str] = (),
    problems: ProblemLog,
) -> Plan:
    """Names, splits and clips of the videos: those decided before, and new ones for new videos.

    Of each action about ``test_share`` goes to the test split, at least one and not all where there are two or more:
    those whose names come first in the order of a seeded hash. Clips of one video share a split, since they look
    alike; only of an action's single video that is cut, the last clips are for testing.

    Args:
        videos: With their actions.
        known: What was decided before.
        choice: For those that are not known.
        count_clips: Clips that a video gives at so many seconds each; None where it cannot be read.
        others: Names of videos that are in the data set without being known.
        problems: Given videos that come twice, cannot be read, or are not what they were.
    """
    known, keys = list(known), _keys(videos, problems)
    plan, new = Plan(), dict[Path, tuple[int, float | None]]()
    before = _known_sources(keys, known)
    for path, key in keys.items():
        old = before.get(path)
        same = old is not None and old.key == key
        seconds = old.clip_seconds if old is not None and choice.clip_seconds is None else choice.clip_seconds
        clips = (
            old.clip_count if old is not None and same and seconds == old.clip_seconds else count_clips(path, seconds)
        )
        if clips is None:
            continue
        if old is not None and same and (clips == old.clip_count or not choice.redo):
            plan.sources[path] = old
            plan.cut_otherwise += clips != old.clip_count
        elif old is not None and not choice.redo:
            problems.add("video", path, f"is not the video that was labelled as {old.name}: {_REPLACED}")
        else:
            plan.dropped += [] if old is None else [old]
            new[path] = clips, seconds
    kept = [source for source in known if source not in plan.dropped]
    named = _named({path: (keys[path], *cut) for path, cut in new.items()}, kept, others)
    plan.sources |= _decide(named, kept, choice)
    plan.sources = {path: plan.sources[path] for path in videos if path in plan.sources}
    return plan


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
    if not _can_be_name(inside[0]):
        folder = ascii(str(place / inside[0]))
        raise InputError(f"{folder} cannot be an action's name: rename the folder, or give --action NAME")
    return inside[0]


def _check_action(action: str) -> None:
    if not _can_be_name(action) or "/" in action or "\\" in action:
        raise InputError(f"action {action!r} cannot be the name of a folder: give another --action")


def _can_be_name(name: str) -> bool:
    """Whether a name can stand in a list and in a picture: no control characters, blanks around it, or other bytes."""
    plain = is_text(name) and not any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in name)
    return plain and bool(name) and name == name.strip() and not name.startswith(".")


def _keys(videos: dict[Path, str], problems: ProblemLog) -> dict[Path, Key]:
    """The keys of the videos that can be opened and named; of the same one given twice, the first."""
    keys: dict[Key, Path] = {}
    for path, action in videos.items():
        if not _can_be_name(path.stem.strip(" ")):
            problems.add("video", path, "has a name that no list can hold: rename it")
            continue
        try:
            key = action, path.name, _digest(path)
        except OSError as error:
            problems.add("video", path, f"cannot be read ({error.strerror}): check its rights")
            continue
        if key in keys:
            problems.add("video", path, f"is the same video as {keys[key]}: remove or rename one")
        keys.setdefault(key, path)
    return {path: key for key, path in keys.items()}


def _digest(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        for start in sorted({0, max(size // 2 - _SAMPLE_BYTES // 2, 0), max(size - _SAMPLE_BYTES, 0)}):
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _known_sources(keys: dict[Path, Key], known: Sequence[Source]) -> dict[Path, Source]:
    """What was decided of each video, or of the one that had its action and file name and is not given any more."""
    by_key = {source.key: source for source in known}
    given = set(keys.values())
    gone = {source.key[:2]: source for source in known if source.key not in given}
    found = {path: by_key.get(key) or gone.pop(key[:2], None) for path, key in keys.items()}
    return {path: source for path, source in found.items() if source is not None}


def _named(
    cuts: dict[Path, tuple[Key, int, float | None]], known: Sequence[Source], others: Iterable[str]
) -> dict[Path, _New]:
    """New videos with names such that no video and no clip has another's."""
    taken = set(others)
    for source in known:
        taken |= {source.name, *clip_names(source.name, source.clip_count)}
    named = {}
    for path, (key, clips, seconds) in cuts.items():
        name = _free_name(path.stem.strip(" "), key[0], clips, taken)
        taken |= {name, *clip_names(name, clips)}
        named[path] = _New(key, name, clips, seconds)
    return named


def _free_name(stem: str, action: str, clips: int, taken: set[str]) -> str:
    """The file's own name; where another video has it, with the action before it, then with a number behind."""
    numbered = (f"{action}_{stem}" + (f"_{number}" if number > 1 else "") for number in count(1))
    return next(name for name in chain([stem], numbered) if not taken & {name, *clip_names(name, clips)})


def _decide(named: dict[Path, _New], known: Sequence[Source], choice: Choice) -> dict[Path, Source]:
    """The new videos with their splits."""
    tests = _choose_tests([(new.key[0], new.name) for new in named.values()], known, choice.test_share, choice.seed)
    times = Counter([source.action for source in known] + [new.key[0] for new in named.values()])
    sources = {}
    for path, new in named.items():
        action, file, digest = new.key
        split, share = TEST if new.name in tests else TRAIN, 0.0
        if times[action] == 1 and new.clip_count > 1 and choice.test_share > 0:
            split, share = BOTH, choice.test_share
        sources[path] = Source(file, digest, action, new.name, split, new.clip_count, new.clip_seconds, share)
    return sources


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
