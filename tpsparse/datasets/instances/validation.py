"""All that is wrong with a data set in TAPOS's format: ``problems_tapos.csv``, and a text that counts it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ...errors import InputError
from ...structures.files import atomic_write, writing_told
from ...workers import Crashed, cores, run_pooled
from ..video import count_decoded
from .annotation import Annotations, Instance, read_annotations
from .checks import ERROR, KINDS, WARNING, Fault
from .layout import PROBLEMS_FILE, instance_file, instances_folder, source_video, videos_folder

COLUMNS = ("severity", "kind", "subset", "video", "instance", "file", "message", "remedy")


@dataclass(frozen=True)
class Validation:
    """What a check has found.

    Attributes:
        root: The data set.
        instances: The usable ones that were looked at.
        faults: What is wrong, errors and warnings.
    """

    root: Path
    instances: Sequence[Instance]
    faults: Sequence[Fault]

    @property
    def counts(self) -> Counter[str]:
        """Faults by kind."""
        return Counter(fault.kind for fault in self.faults)

    @property
    def num_errors(self) -> int:
        """Faults that cost what they name."""
        return sum(fault.severity == ERROR for fault in self.faults)

    def text(self, *, listed: bool = True) -> str:
        """The counts on a few lines.

        Args:
            listed: Also say where :meth:`write` lists the problems.
        """
        videos = len({instance.youtube_id for instance in self.instances})
        boundaries = sum(len(instance.boundaries) for instance in self.instances)
        subsets = Counter(instance.subset for instance in self.instances)
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(subsets.items()))
        lines = [
            f"{self.root}: {len(self.instances):,} usable instances of {videos:,} videos, {boundaries:,} boundaries"
            + (f" ({told})" if told else "")
        ]
        for severity, title in ((ERROR, "errors, what they name is not used"), (WARNING, "warnings")):
            found = [(kind, count) for kind, count in self.counts.most_common() if KINDS[kind].severity == severity]
            if found:
                lines += [f"{title}:", *(f"  {kind:<20}{count:>8,}  {KINDS[kind].remedy}" for kind, count in found)]
        if not self.faults:
            lines.append("no problems found")
        elif listed:
            lines.append(f"problems are in {self.root / PROBLEMS_FILE}")
        return "\n".join(lines)

    def write(self) -> Path:
        """Write all faults as CSV, one a line, in place of those of an earlier check.

        Raises:
            InputError: If there is no room.
        """
        path = self.root / PROBLEMS_FILE
        with (
            writing_told(path),
            atomic_write(path) as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(map(self._row, self.faults))
        return path

    def _row(self, fault: Fault) -> tuple[str, ...]:
        file = fault.file.relative_to(self.root) if fault.file.is_relative_to(self.root) else fault.file
        place = (fault.subset, fault.video, fault.instance, str(file))
        return (fault.severity, fault.kind, *place, fault.message, KINDS[fault.kind].remedy)


def check_instances(
    root: Path,
    *,
    subset: str | None = None,
    check_videos: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Validation:
    """Look for all that is wrong.

    Args:
        root: The data set.
        subset: Of which; None for all of it.
        check_videos: Decode every cut instance and count its frames; one without a video is an error then.
        workers: Processes for that; None for one a processor core.
        progress: Whether to show a progress bar.

    Raises:
        InputError: If there are no annotations that can be read, or none of the subset.
    """
    annotations = _of_subset(read_annotations(root), subset)
    if not annotations.instances and not annotations.faults:
        which = "instance" if subset is None else f"instance of subset {subset}"
        raise InputError(f"{root} has no {which}: put the whole annotation there")
    missing = _missing_videos(root, annotations.instances, strict=check_videos)
    decoded = _decoded_faults(root, annotations.instances, workers or cores(), progress) if check_videos else []
    return Validation(root, annotations.instances, (*annotations.faults, *missing, *decoded))


def _of_subset(annotations: Annotations, subset: str | None) -> Annotations:
    if subset is None:
        return annotations
    instances = tuple(instance for instance in annotations.instances if instance.subset == subset)
    return Annotations(instances, tuple(fault for fault in annotations.faults if fault.subset in (subset, "")))


def _missing_videos(root: Path, instances: Iterable[Instance], *, strict: bool) -> list[Fault]:
    """Instances with neither a cut video nor a source video; and, when videos are checked, those not cut yet."""
    if not strict and not videos_folder(root).is_dir() and not instances_folder(root).is_dir():
        return [
            Fault("missing-video", "", "", "", root, "has no videos/ and no instances/, so no instance has a video")
        ]
    sources: dict[str, Path | None] = {}
    faults = []
    for instance in instances:
        video = instance.youtube_id
        if video not in sources:
            sources[video] = source_video(root, video)
        path, source = instance_file(root, instance.key), sources[video]
        if path.is_file():
            continue
        place = (instance.subset, video, instance.name, path)
        if source is None:
            faults.append(Fault("no-video" if strict else "missing-video", *place, "has no video"))
        elif strict:
            faults.append(Fault("not-cut", *place, f"is not cut from {source.name}"))
    return faults


def _decoded_faults(root: Path, instances: Iterable[Instance], workers: int, progress: bool) -> list[Fault]:
    """What decoding every cut instance finds, in the order of the instances."""
    cut = {path: instance for instance in instances if (path := instance_file(root, instance.key)).is_file()}
    found: dict[Path, int | str] = {}
    with tqdm(total=len(cut), desc="check", unit="instance", disable=not progress) as bar:
        for path, result in run_pooled(_count_frames, list(cut), workers):
            found[path] = "ends the process that reads it" if isinstance(result, Crashed) else result
            bar.update()
    faults = []
    for path, instance in cut.items():
        place = (instance.subset, instance.youtube_id, instance.name, path)
        if isinstance(found[path], str):
            faults.append(Fault("unreadable-video", *place, str(found[path])))
        elif found[path] != instance.num_frames:
            told = f"has {found[path]} frames, {instance.num_frames} are annotated"
            faults.append(Fault("other-length", *place, told))
    return faults


def _count_frames(path: Path) -> int | str:
    """How many frames can be decoded, or what is wrong."""
    try:
        return count_decoded(path)
    except InputError as error:
        return str(error).removeprefix(f"{path} ").rpartition(": ")[0]
