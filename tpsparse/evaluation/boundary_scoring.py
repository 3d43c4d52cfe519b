"""Files of predicted boundaries, and floors, against what is annotated: without features and without a network.

Shapes: B boundaries of an instance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..datasets.instances import Instance
from ..errors import InputError
from ..structures.boundaries_file import Boundaries
from .functional.boundaries import BoundaryScores, Distances, boundary_scores, even_boundaries

FLOOR = "floor:"
"""What a floor's name begins with, where a file could stand."""


@dataclass(frozen=True)
class Method:
    """Who has predicted boundaries of a set of instances, and what.

    Args:
        name: For legends and tables.
        found: (B,) of each of the instances, in their order; empty where there is no prediction.
        note: What a reader has to know of it, if anything.
    """

    name: str
    found: Sequence[np.ndarray]
    note: str = ""


def method_of(source: str, instances: Sequence[Instance]) -> Method:
    """The predictions that a word of the command line means.

    Args:
        source: A file that ``BoundaryMetric`` has written, ``floor:none`` or ``floor:even``, or one of these behind
            ``NAME=``. The even floor has as many boundaries as these very instances have on average, rounded.
        instances: What is annotated.

    Raises:
        InputError: If the file is missing, broken, of other instances, or of other lengths; or the floor is unknown.
    """
    name, _, rest = source.partition("=")
    # A path may hold an equals sign as well.
    name, source = (name, rest) if rest and not Path(source).is_file() else ("", source)
    if source.startswith(FLOOR):
        method = _floor(source.removeprefix(FLOOR), instances)
    else:
        method = _of_file(Path(source), instances)
    return Method(name or method.name, method.found, method.note)


def score_method(
    method: Method, instances: Sequence[Instance], *, rule: str = "one_to_one", distances: Distances | None = None
) -> BoundaryScores:
    """Scores of a method, as :func:`boundary_scores` gives them."""
    pairs = ((instance.num_frames, instance.boundaries, found) for instance, found in zip(instances, method.found))
    return boundary_scores(pairs, rule=rule, distances=distances)


def _floor(name: str, instances: Sequence[Instance]) -> Method:
    floors: dict[str, Callable[[Sequence[Instance]], Method]] = {"none": _none, "even": _even}
    if name not in floors:
        raise InputError(f"{FLOOR}{name} is no floor: give {' or '.join(FLOOR + known for known in floors)}")
    return floors[name](instances)


def _none(instances: Sequence[Instance]) -> Method:
    return Method("no boundary", [np.empty(0, dtype=np.int64)] * len(instances))


def _even(instances: Sequence[Instance]) -> Method:
    mean = float(np.mean([len(instance.boundaries) for instance in instances]))
    number = int(np.floor(mean + 0.5))
    note = f"{number} an instance, the rounded mean {mean:.3f} of these {len(instances)} instances themselves"
    return Method("even boundaries", [even_boundaries(each.num_frames, number) for each in instances], note)


def _of_file(path: Path, instances: Sequence[Instance]) -> Method:
    held = Boundaries.load(path)
    found, missing = [], 0
    for instance in instances:
        frames, boundaries = held.instances.get(instance.key, (instance.num_frames, np.empty(0, dtype=np.int64)))
        if frames != instance.num_frames:
            told = f"{path} has {frames} frames of {instance.key}, {instance.num_frames} are annotated"
            raise InputError(f"{told}: give the data set that it was made with, or make it again")
        missing += instance.key not in held.instances
        found.append(boundaries)
    if missing == len(instances):
        raise InputError(f"{path} has none of the {missing} instances: give another file, data set or split")
    others = len(held.instances) - (len(instances) - missing)
    notes = [f"{missing} instances without an entry count as without boundaries"] * (missing > 0)
    notes += [f"{others} of other instances are not used"] * (others > 0)
    return Method(held.method or path.stem, found, "; ".join(notes))
