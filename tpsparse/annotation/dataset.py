"""From raw videos to a data set in the official layout, video by video, in several processes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from ..datasets.layout import SPLITS, video_paths, videos_folder
from ..datasets.problems import ProblemLog
from ..datasets.video import Video
from ..errors import InputError
from ..poses.mediapipe import check_installed
from ..poses.views import tile_views
from ..structures.folder_lock import folder_lock
from ..taxonomy import Taxonomy
from ..workers import cores
from .clips import clip_lengths
from .job import Job, Labelled, PoseOptions, Progress, finished_clips, run_job
from .labels import usable_fps
from .processes import Failure, run_processes
from .rules import RuleTable, read_rules
from .sources import BOTH, TEST, TRAIN, Choice, Plan, Source, find_videos, plan_sources, read_sources, write_sources
from .writer import OWN_FOLDER, clear_leftovers, list_video, prepare_lists, remove_clips

_BAR = "{desc} {percentage:3.0f}%|{bar}| {n:.1f}/{total} videos [{elapsed}<{remaining}]"


@dataclass(frozen=True)
class Options:
    """What a run was asked for.

    Args:
        action: Label of all videos; None for the names of their folders.
        test_share: Of each action's videos, for the test split.
        seed: Of the choice of test videos.
        clip_seconds: Videos are cut into clips of about that length; None to keep new ones whole, and those that are
            known as they are.
        pose: How people are looked for.
        min_visibility: Parts that are seen less are left out.
        rules: File of the rules for states; None for the table that comes with the package.
        review: Whether videos with the labels drawn on are wanted.
        redo: Whether labels that are there are made again, and videos cut again that are to be cut otherwise.
        workers: Processes; None for one a processor core.
        progress: Whether to show a progress bar.
    """

    action: str | None = None
    test_share: float = 0.25
    seed: int = 0
    clip_seconds: float | None = None
    pose: PoseOptions = PoseOptions()
    min_visibility: float = 0.5
    rules: Path | None = None
    review: bool = True
    redo: bool = False
    workers: int | None = None
    progress: bool = True


@dataclass
class Summary:
    """What a run has done.

    Attributes:
        sources: The videos of the run, with their splits.
        clips: Those labelled, and those that were there.
        actions: Of each of these clips.
        problems: Videos that could not be labelled, and videos without persons.
        cut_otherwise: Videos that are cut otherwise than was asked for.
    """

    sources: list[Source]
    clips: list[Labelled] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    problems: ProblemLog = field(default_factory=ProblemLog)
    cut_otherwise: int = 0

    @property
    def nothing_done(self) -> bool:
        """Whether there is no labelled clip."""
        return not self.clips

    def text(self) -> str:
        """The counts, the splits, and what to know about them, in a few lines."""
        if not self.sources:
            return "no video could be labelled"
        new = [clip for clip in self.clips if not clip.kept]
        frames, persons = sum(clip.num_frames for clip in new), sum(clip.num_persons for clip in new)
        kept = len(self.clips) - len(new)
        lines = []
        if new or not kept:
            lines.append(f"labelled {_count(len(new), 'clip')}: {_count(frames, 'frame')}, {_count(persons, 'person')}")
        if kept:
            lines.append(f"kept {_count(kept, 'clip')} that were labelled before")
        other = sum(not clip.same_options for clip in self.clips)
        if other:
            lines.append(f"of them {other} with other options or rules: --redo makes their labels anew")
        if self.cut_otherwise:
            told = (
                "is cut otherwise: --redo cuts it" if self.cut_otherwise == 1 else "are cut otherwise: --redo cuts them"
            )
            lines.append(f"{_count(self.cut_otherwise, 'video')} {told} and makes the labels anew")
        return "\n".join([*lines, *self._splits()])

    def _splits(self) -> list[str]:
        counts = {source.action: Counter[str]() for source in sorted(self.sources, key=lambda source: source.action)}
        for clip, action in zip(self.clips, self.actions):
            counts[action][clip.split] += 1
        lines = ["clips by action, the videos of the test split chosen by a seeded hash of their names:"]
        lines += [f"  {action}: {count[TRAIN]} train, {count[TEST]} test" for action, count in counts.items()]
        shared = sorted(source.action for source in self.sources if source.split == BOTH)
        if shared:
            lines.append(f"train and test are parts of one video, so scores will be too high: {', '.join(shared)}")
        if not any(count[TEST] for count in counts.values()):
            lines.append(
                "there is no test video: give another video of an action, or cut one into two clips or more with "
                "--clip-seconds S --redo"
            )
        return lines


def annotate_videos(given: Sequence[Path], root: Path, options: Options) -> Summary:
    """Label videos and write them as a data set, or what is still missing of it.

    A video that is done is not done again, so corrected labels stay. A video that cannot be read is a problem, and the
    others go on.

    Args:
        given: Video files and folders, as :func:`sources.find_videos` takes them.
        root: Folder of the data set, made if need be.
        options: See there.

    Raises:
        InputError: If an option, the rules or what is given cannot be used, or MediaPipe is not installed.
    """
    check_installed()
    _check(options)
    rules = read_rules() if options.rules is None else read_rules(options.rules)
    videos = find_videos(given, action=options.action, leave_out=root)
    with folder_lock(root, remedy="give another --out"):
        summary = Summary([])
        clear_leftovers(root)
        try:
            _run(_plan(videos, root, options, rules, summary), options, summary)
        finally:
            clear_leftovers(root)
    return summary


def _check(options: Options) -> None:
    if not 0 <= options.test_share < 1:
        raise InputError(f"test share is {options.test_share}: give a number from 0 to below 1")
    if options.clip_seconds is not None and not 0.1 <= options.clip_seconds < float("inf"):
        raise InputError(f"clip seconds are {options.clip_seconds}: give 0.1 or more, or leave it out for whole videos")
    if not 0 <= options.min_visibility <= 1:
        raise InputError(f"the least visibility is {options.min_visibility}: give a number from 0 to 1")
    if not 0 <= options.pose.min_seconds < float("inf"):
        raise InputError(f"the least seconds are {options.pose.min_seconds}: give 0 or more")
    tile_views((64, 64), options.pose.tiles)


def _plan(videos: dict[Path, str], root: Path, options: Options, rules: RuleTable, summary: Summary) -> list[Job]:
    """Fix the names, splits and lists of the data set; one job for each video that can be read."""
    decisions = root / OWN_FOLDER / "videos.json"
    known = read_sources(decisions)
    plan = plan_sources(
        videos,
        known,
        Choice(options.test_share, options.seed, options.clip_seconds, options.redo),
        count_clips=lambda path, seconds: _count_clips(path, seconds, summary.problems),
        others=_other_names(root, known),
        problems=summary.problems,
    )
    summary.sources, summary.cut_otherwise = list(plan.sources.values()), plan.cut_otherwise
    if not plan.sources:
        return []
    # Before the new decisions are kept: a run that is stopped in between then makes what was there again.
    for source in plan.dropped:
        remove_clips(root, source.action, source.clips())
    kept = [source for source in known if source not in plan.dropped]
    write_sources(decisions, {source.key: source for source in [*kept, *summary.sources]}.values())
    prepare_lists(root, rules.states)
    for source in summary.sources:
        # The actions of a data set are the folders of its training videos, whatever the split.
        (videos_folder(root, TRAIN) / source.action).mkdir(parents=True, exist_ok=True)
    return _jobs(plan, root, options, rules)


def _jobs(plan: Plan, root: Path, options: Options, rules: RuleTable) -> list[Job]:
    taxonomy = Taxonomy.from_root(root)
    return [
        Job(
            path=path,
            source=source,
            root=root,
            pose=options.pose,
            rules=rules,
            min_visibility=options.min_visibility,
            review=options.review,
            redo=options.redo,
            taxonomy=taxonomy,
        )
        for path, source in plan.sources.items()
    ]


def _count_clips(path: Path, seconds: float | None, problems: ProblemLog) -> int | None:
    """Clips of a video; None if it is none, which would take another's place in a split."""
    try:
        video = Video(path)
        return len(clip_lengths(video.num_frames, usable_fps(video.fps), seconds))
    except InputError as error:
        problems.add("video", path, str(error).removeprefix(f"{path} "))
        return None


def _other_names(root: Path, known: Sequence[Source]) -> set[str]:
    """Names of videos that are in the data set but were not labelled here."""
    there = {path.stem for split in SPLITS if videos_folder(root, split).is_dir() for path in video_paths(root, split)}
    return there - {name for source in known for name, _ in source.clips()}


def _run(jobs: list[Job], options: Options, summary: Summary) -> None:
    """Do what is not done, and take all that is done into the lists."""
    waiting = []
    for job in jobs:
        finished = finished_clips(job)
        waiting += [] if finished else [job]
        for clip in finished:
            _take(clip, job, summary)
    workers, done = options.workers or cores(), len(jobs) - len(waiting)
    with tqdm(
        total=len(jobs), initial=done, desc="annotate", bar_format=_BAR, mininterval=1, disable=not options.progress
    ) as bar:
        for number, item in run_processes(run_job, waiting, workers):
            job = waiting[number]
            if isinstance(item, Progress):
                bar.update(min(item.share, bar.total - bar.n))  # shares may add up to a last digit too much
            elif isinstance(item, Failure):
                message = item.message.removeprefix(f"{job.path}").removeprefix(":").strip()
                summary.problems.add("video", job.path, message)
                tqdm.write(f"{job.path}: {message} (skipped)", file=sys.stderr)
            elif isinstance(item, Labelled):
                _take(item, job, summary)


def _take(clip: Labelled, job: Job, summary: Summary) -> None:
    summary.clips.append(clip)
    summary.actions.append(job.source.action)
    list_video(job.root, clip.split, job.source.action, clip.name, clip.num_frames)
    if clip.num_annotated != clip.num_frames:
        message = f"{clip.name} has labels of {clip.num_annotated} of {clip.num_frames} frames: restore them, or --redo"
        summary.problems.add("labels of video", job.path, message)
    if not clip.num_persons:
        message = (
            f"nobody was found in {clip.name}, its labels are empty: remove it, or try smaller tiles (--tiles 3x4)"
        )
        summary.problems.add("labels of video", job.path, message)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
