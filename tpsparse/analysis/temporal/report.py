"""One self-contained page about a data set of action instances, and its two pictures as files."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from ...datasets.instances.annotation import read_annotations
from ...datasets.instances.checks import ERROR, KINDS, Fault
from ...datasets.instances.validation import Validation, check_instances
from ...errors import InputError
from ...structures.files import remove_partials
from ..charts import Mark, histogram
from ..findings import EXAMPLES, Finding
from ..sections import Figure, Section
from ..writing import write_whole
from .figures import BLUE, BOUNDARIES, ORANGE, SUB_ACTIONS, figures_of
from .page import INSTANCE_PAGE
from .statistics import InstanceStatistics, instance_statistics

PAGE = "report.html"
BARS = 20


def write_instance_report(root: Path, out: Path, *, subsets: Sequence[str] | None = None) -> Validation:
    """Write ``report.html``, ``sub-actions.png`` and ``boundaries.png``, each in one move; the page comes last.

    Args:
        root: A data set in TAPOS's format; videos are not needed.
        out: The folder, made if need be.
        subsets: Which; None for all of them.

    Returns:
        What can be used, and what is wrong.

    Raises:
        InputError: If the annotation cannot be read, no instance of these subsets can be used, or a file cannot be
            written.
    """
    found = _of_subsets(root, subsets)
    if not found.instances:
        known = sorted({instance.subset for instance in read_annotations(root).instances})
        remedy = f"use some of {', '.join(known)}" if known else "see tools/prepare_data.py tapos check"
        raise InputError(f"{root} has no usable instance{' of ' + ', '.join(subsets) if subsets else ''}: {remedy}")
    statistics = instance_statistics(found.instances)
    pictures = figures_of(statistics)
    if out.is_dir():
        remove_partials(out)
    for name, picture in pictures.items():
        write_whole(out / name, picture)
    text = render(statistics, pictures, name=root.resolve().name, findings=findings_of(found.faults))
    write_whole(out / PAGE, text.encode("utf-8"))
    return found


def render(
    statistics: InstanceStatistics, pictures: dict[str, bytes], *, name: str, findings: Sequence[Finding]
) -> str:
    """The page; ``pictures`` by the names of :mod:`.figures`."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(INSTANCE_PAGE).render(
        name=name,
        subsets=", ".join(group.name for group in statistics.subsets),
        total=statistics.total,
        groups=statistics.subsets,
        actions=statistics.actions,
        sub_actions_text=_sub_actions_text(statistics),
        sub_actions=_as_url(pictures[SUB_ACTIONS]),
        boundaries=_as_url(pictures[BOUNDARIES]),
        lengths=lengths_section(statistics),
        findings=findings,
    )


def findings_of(faults: Iterable[Fault]) -> list[Finding]:
    """Faults by kind, errors before warnings and the most frequent first, each with its first examples."""
    found: dict[str, Finding] = {}
    for fault in faults:
        finding = found.setdefault(fault.kind, Finding(fault.kind, fault.severity, KINDS[fault.kind].remedy))
        finding.count += 1
        if len(finding.examples) < EXAMPLES:
            finding.examples.append((fault.key or fault.file.name, fault.message))
    return sorted(found.values(), key=lambda finding: (finding.severity != ERROR, -finding.count, finding.kind))


def lengths_section(statistics: InstanceStatistics) -> Section:
    """How long instances and sub-actions are, and how many frames a second."""
    charts = [
        _figure("Sub-actions by seconds", statistics.lengths, unit=" s"),
        _figure("Sub-actions by share of their instance", statistics.shares, longest=1.0),
        _figure("Instances by seconds", statistics.seconds, unit=" s", of_instances=True),
        _figure("Instances by frames", statistics.frames, of_instances=True),
        _figure("Instances by frames a second", statistics.fps, of_instances=True),
    ]
    text = f"A sub-action lasts {statistics.lengths.mean():.2f} s on average, {_half(statistics.lengths, ' s')}; "
    text += f"an instance {statistics.seconds.mean():.1f} s, {_half(statistics.seconds, ' s')}."
    return Section("lengths", "Lengths", text, charts)


def _of_subsets(root: Path, subsets: Sequence[str] | None) -> Validation:
    found = check_instances(root, progress=False)
    if subsets is None:
        return found
    instances = [instance for instance in found.instances if instance.subset in subsets]
    return Validation(root, instances, [fault for fault in found.faults if fault.subset in ("", *subsets)])


def _sub_actions_text(statistics: InstanceStatistics) -> str:
    text = f"An instance has {statistics.total.sub_actions:.2f} sub-actions on average, {statistics.sub_actions.min()} "
    text += f"to {statistics.sub_actions.max()}. "
    if statistics.actions:
        most, least = statistics.actions[0], statistics.actions[-1]
        text += f"By action from {least.sub_actions:.1f} ({least.name}) to {most.sub_actions:.1f} ({most.name}), "
        return text + "as in the TAPOS paper's figure 1."
    return text + "No instance has a label, so they are counted over all actions."


def _figure(
    title: str, values: np.ndarray, *, unit: str = "", longest: float | None = None, of_instances: bool = False
) -> Figure:
    """A histogram up to the longest, or to a bar that holds the longest hundredth."""
    end = longest or _round_end(float(np.quantile(values, 0.99)))
    edges = np.linspace(0, end, BARS + 1)
    counts = np.histogram(np.minimum(values, end), bins=edges)[0]
    names = [f"{low:.4g} to {high:.4g}{unit}" for low, high in zip(edges, edges[1:])]
    if values.max() > end:
        names[-1] = f"{edges[-2]:.4g}{unit} and more"
    colour = ORANGE if of_instances else BLUE
    marks = [Mark(name, int(count), f"{count:,}", colour) for name, count in zip(names, counts)]
    ticks = [f"{edge:.4g}" if place % 5 == 0 else "" for place, edge in enumerate(edges)]
    if values.max() > end:
        ticks[-1] += "+"
    note = f"Mean {values.mean():.3g}{unit}, {_half(values, unit)}, longest {values.max():.4g}{unit}."
    if "a second" in title:
        note = note.replace("longest", "greatest")
    return Figure(title, histogram(title.lower(), marks, ticks=ticks), note)


def _round_end(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-6)))
    return float(next(step for step in (1, 2, 4, 6, 8, 10) if step * power >= value) * power)


def _half(values: np.ndarray, unit: str) -> str:
    low, high = np.quantile(values, [0.25, 0.75])
    return f"half of them {low:.3g} to {high:.3g}{unit}"


def _as_url(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
