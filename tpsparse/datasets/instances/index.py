"""One subset of a data set in TAPOS's format: its usable instances, and what had to be left out.

Shapes: n instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..problems import ProblemLog
from .annotation import Annotations, Instance, read_annotations
from .checks import ERROR, Fault
from .layout import annotation_files, instance_file

UNLABELLED = "unlabelled"
"""The one action of a data set without labels."""
UNKNOWN = -1
"""The id of an action that is not known."""


class InstanceIndex:
    """The instances of one subset.

    Args:
        root: The data set.
        subset: ``train``, ``val`` or ``test``.
        annotations: Of all subsets.

    Attributes:
        instances: The usable ones by key.
        problems: Those that had to be left out, one problem each, and files that cannot be read.
        actions: Names of the actions of all subsets; an id is a position in it.
    """

    def __init__(self, root: Path, subset: str, annotations: Annotations) -> None:
        self.root, self.subset = root, subset
        self.instances = [instance for instance in annotations.instances if instance.subset == subset]
        self.problems = _problems(annotations.faults, subset)
        self.actions = action_names(annotations.instances)

    def __reduce__(self) -> tuple:
        return open_instances, (self.root, self.subset)

    def __len__(self) -> int:
        return len(self.instances)

    @cached_property
    def action_ids(self) -> np.ndarray:
        """(n,) int64 id of each instance's action, -1 where it is not known."""
        ids = {name: number for number, name in enumerate(self.actions)}
        found = [UNKNOWN if instance.action is None else ids[instance.action] for instance in self.instances]
        return np.array(found, dtype=np.int64)

    def video(self, instance: Instance) -> Path:
        """The file of a cut instance.

        Raises:
            InputError: If it is not there.
        """
        path = instance_file(self.root, instance.key)
        if not path.is_file():
            raise InputError(f"{path} is missing: put it there or run tools/prepare_data.py tapos cut {self.root}")
        return path

    def digest(self) -> str:
        """Digest of what is annotated of the usable instances, and of the names of all actions."""
        digest = sha256(repr((self.subset, self.actions)).encode())
        for instance in self.instances:
            digest.update(repr((instance.key, instance.substages, instance.action, instance.fps)).encode())
        return digest.hexdigest()


def open_instances(root: str | Path, subset: str) -> InstanceIndex:
    """Open one subset of a data set.

    Raises:
        InputError: If there are no annotations, or no usable instance of the subset.
    """
    root = Path(root)
    annotations = read_annotations(root)
    index = InstanceIndex(root, subset, annotations)
    if not index.instances:
        index.problems.report(f"instances of {root} ({subset})")
        known = sorted({instance.subset for instance in annotations.instances})
        remedy = f"use one of {', '.join(known)}" if known else "correct the annotation"
        raise InputError(f"{root} has no usable instance of subset {subset}: {remedy}")
    return index


def action_names(instances: Sequence[Instance]) -> tuple[str, ...]:
    """The actions of these instances, sorted, numbers by their value; :data:`UNLABELLED` where no label is known."""
    names = {instance.action for instance in instances if instance.action is not None}
    return tuple(sorted(names, key=_order)) or (UNLABELLED,)


def names_at(root: str | Path) -> tuple[str, ...]:
    """The actions of a data set, of all its subsets.

    Raises:
        InputError: If there are no annotations that can be read.
    """
    return action_names(read_annotations(root).instances)


def is_instance_root(root: str | Path) -> bool:
    """Whether a folder is a data set in TAPOS's format."""
    return bool(annotation_files(Path(root)))


def _order(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdecimal()
    return not is_number, int(name) if is_number else 0, name


def _problems(faults: Sequence[Fault], subset: str) -> ProblemLog:
    """What had to be left out of a subset: of each instance the first error."""
    first: dict[tuple[Path, str], Fault] = {}
    for fault in faults:
        if fault.severity == ERROR and fault.subset in (subset, ""):
            first.setdefault((fault.file, fault.key), fault)
    return ProblemLog(fault.problem() for fault in first.values())
