"""The charts of a report, in sections: those that the organisers show of Kinetics-TPS, for any data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ..taxonomy import Taxonomy
from ..visualization.palette import ACCENT, GREY, Colour, display_name, part_colours
from .charts import Mark, bar_chart, histogram, range_chart, stacked_bar
from .statistics import HEIGHT_BINS, MOST_PERSONS, BoxSizes, DatasetStatistics

TOP_STATES = 6
TOP_PAIRS = 5
TOP_OBJECTS = 30
SEGMENTS = 6
COLUMNS = {
    "keys": "Videos",
    "frames": "Annotated frames",
    "persons": "Persons",
    "parts": "Parts",
    "objects": "Objects",
}
"""What is counted by action, as :class:`VideoCounts` names it, with its title."""
SAYS_NOTHING = "none"
"""The state that annotators give where the list has no word; among the pairs it would bury the others."""


@dataclass(frozen=True)
class Figure:
    """A chart with its title, and a note below it."""

    title: str
    chart: Markup
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page; ``anchor`` is its address."""

    anchor: str
    title: str
    text: str
    figures: list[Figure]


def chart_sections(statistics: DatasetStatistics) -> list[Section]:
    """Every section that is made of charts, in the page's order."""
    return [
        actions_section(statistics),
        crowd_section(statistics),
        part_states_section(statistics),
        top_states_section(statistics),
        tail_section(statistics),
        pairs_section(statistics),
        objects_section(statistics),
        sizes_section(statistics),
    ]


def actions_section(statistics: DatasetStatistics) -> Section:
    """Videos, frames, persons, parts and objects by action."""
    names = statistics.taxonomy.actions
    figures = []
    for column, title in COLUMNS.items():
        counts = statistics.videos.by_action(column, len(names))
        figures.append(Figure(f"{title} per action", bar_chart(f"{title} per action", _counted(names, counts))))
    persons = statistics.videos.by_action("persons", len(names))
    return Section("actions", "Actions", _imbalance("persons", names, persons), figures)


def crowd_section(statistics: DatasetStatistics) -> Section:
    """How many persons a frame has, and how many parts a person."""
    persons, parts = statistics.frame_persons, statistics.person_parts
    numbers = [*map(str, range(MOST_PERSONS)), f"{MOST_PERSONS}+"]
    frames = _counted(numbers, persons)
    people = _counted([*map(str, range(len(parts)))], parts)
    text = f"{_percent(persons[2:].sum(), persons.sum())} of the annotated frames have more than one person; "
    text += f"{_percent(parts[-1], parts.sum())} of the persons have all {len(parts) - 1} parts."
    return Section(
        "crowd",
        "Persons and parts",
        text,
        [
            Figure("Frames by number of persons", histogram("frames by persons", frames, ticks=numbers)),
            Figure("Persons by number of parts", histogram("persons by parts", people, ticks=[m.name for m in people])),
        ],
    )


def part_states_section(statistics: DatasetStatistics) -> Section:
    """For each part its states as shares of one bar."""
    taxonomy, table = statistics.taxonomy, statistics.part_states
    figures = []
    for part, colour in enumerate(part_colours(taxonomy)):
        marks = _shares(taxonomy, table[part], colour, SEGMENTS)
        rest = table[part].sum() - sum(mark.value for mark in marks)
        if rest:
            marks.append(Mark("rest", rest, f"{rest:,} ({_percent(rest, table[part].sum())})", GREY))
        name = display_name(taxonomy.parts[part])
        shares = [f"{mark.name} {_percent(mark.value, table[part].sum())}" for mark in marks]
        note = ", ".join(shares) or "Never annotated."
        figures.append(Figure(f"{name}: {table[part].sum():,}", stacked_bar(f"states of {name}", marks), note))
    text = f"The {SEGMENTS} most common states of each part, as shares of all its annotations."
    return Section("part-states", "States per part", text, figures)


def top_states_section(statistics: DatasetStatistics) -> Section:
    """The most common states of each part, with their numbers."""
    taxonomy, table = statistics.taxonomy, statistics.part_states
    figures = []
    for part, colour in enumerate(part_colours(taxonomy)):
        name = display_name(taxonomy.parts[part])
        figures.append(_figure(name, f"top states of {name}", _shares(taxonomy, table[part], colour, TOP_STATES)))
    return Section("top-states", "Top states per part", f"The {TOP_STATES} most common states, counted.", figures)


def tail_section(statistics: DatasetStatistics) -> Section:
    """All states by how often they occur; on a logarithmic scale, for the last are far rarer than the first."""
    states, names = statistics.states, statistics.taxonomy.states
    order = np.argsort(-states, kind="stable")
    ordered, total = states[order], states.sum()
    used = int((states > 0).sum())
    many = int((10 * np.cumsum(ordered) < 9 * total).sum()) + 1 if total else 0
    rare = int(((ordered > 0) & (ordered < 100)).sum())
    text = f"{used} of {len(names)} states occur"
    text += f"; {many} of them make up 90 % of all parts, {rare} occur under 100 times." if used else "."
    halves = np.array_split(order[:used], 2 if used > 12 else 1)
    figures, first = [], 1
    for half in halves if used else []:
        marks = [_share_mark(names[state], int(states[state]), int(total)) for state in half]
        title = f"States {first} to {first + len(half) - 1}"
        chart = bar_chart(title, marks, logarithmic=True, longest=float(ordered[0]))
        figures.append(Figure(title, chart, "Lengths are logarithmic."))
        first += len(half)
    unused = ", ".join(sorted(display_name(names[state]) for state in order[used:]))
    if unused:
        figures.append(Figure("States that never occur", Markup(), unused))
    return Section("tail", "The long tail of states", text, figures)


def pairs_section(statistics: DatasetStatistics) -> Section:
    """The most common pairs of part and state of each action."""
    taxonomy, pairs = statistics.taxonomy, statistics.pairs.copy()
    totals = pairs.sum(axis=(1, 2))
    text = f"The {TOP_PAIRS} most common pairs of part and state, as shares of all parts of the action."
    if SAYS_NOTHING in taxonomy.state_ids:
        left_out = pairs[:, :, taxonomy.state_ids[SAYS_NOTHING]].sum()
        pairs[:, :, taxonomy.state_ids[SAYS_NOTHING]] = 0
        text += f" The state {SAYS_NOTHING}, {_percent(left_out, totals.sum())} of all parts, is left out."
    colours, figures = part_colours(taxonomy), []
    for action, name in enumerate(taxonomy.actions):
        flat = pairs[action].ravel()
        marks = []
        for code in _highest(flat, TOP_PAIRS):
            part, state = divmod(code, len(taxonomy.states))
            pair = f"{display_name(taxonomy.parts[part])}: {display_name(taxonomy.states[state])}"
            marks.append(Mark(pair, int(flat[code]), _percent(flat[code], totals[action]), colours[part]))
        figures.append(_figure(display_name(name), f"pairs of {name}", marks))
    return Section("pairs", "Part and state by action", text, figures)


def objects_section(statistics: DatasetStatistics) -> Section:
    """The most common objects."""
    counts, total = statistics.objects, statistics.objects.sum()
    names = [*map(display_name, statistics.taxonomy.objects), "not in the list"]
    marks = [_share_mark(names[i], int(counts[i]), int(total)) for i in _highest(counts, TOP_OBJECTS)]
    used = int((counts[:-1] > 0).sum())
    text = f"{total:,} boxes of {used} of the {len(names) - 1} objects in the list." if total else "None is annotated."
    halves = 2 if len(marks) > 8 else 1
    figures = []
    for half in np.array_split(np.arange(len(marks)), halves) if marks else []:
        title = "Objects" if halves == 1 else f"Objects {half[0] + 1} to {half[-1] + 1}"
        chart = bar_chart(title, [marks[i] for i in half], logarithmic=True, longest=marks[0].value)
        figures.append(Figure(title, chart, "Lengths are logarithmic."))
    return Section("objects", "Objects", text, figures)


def sizes_section(statistics: DatasetStatistics) -> Section:
    """How large the boxes are."""
    names = ["person", *map(display_name, statistics.taxonomy.parts)]
    sizes = [statistics.person_sizes, *statistics.part_sizes]
    colours = [ACCENT, *part_colours(statistics.taxonomy)]
    rows = [
        (Mark(name, 0, _told_range(size), colour), size.quantiles.tolist())
        for name, size, colour in zip(names, sizes, colours)
    ]
    sides = Figure(
        "Side of a box",
        range_chart("sides of boxes", rows),
        "The square root of the area, on a logarithmic scale. The line spans 90 % of the boxes, the block the middle "
        "half, the stroke is the median; the same three are written at the right, from 5 % over 50 % to 95 %.",
    )
    parts = np.sum([size.classes for size in statistics.part_sizes], axis=0)
    text = "By COCO's areas (below 32 x 32 pixels is small, from 96 x 96 on large), "
    text += f"persons are {_told_classes(statistics.person_sizes.classes)}; parts are {_told_classes(parts)}."
    return Section("sizes", "Box sizes", text, [sides, _heights_figure(statistics)])


def _heights_figure(statistics: DatasetStatistics) -> Figure:
    step = 100 // HEIGHT_BINS
    names = [f"{step * i} to {step * (i + 1)} %" for i in range(HEIGHT_BINS)]
    ticks = [f"{step * i} %" if i % (HEIGHT_BINS // 4) == 0 else "" for i in range(HEIGHT_BINS + 1)]
    marks = _counted(names, statistics.person_heights)
    title = "Height of a person, in per cent of the frame's"
    return Figure(title, histogram(title, marks, ticks=ticks))


def _told_range(size: BoxSizes) -> str:
    if not size.classes.sum():
        return "no box"
    low, _, middle, _, high = size.quantiles
    return f"{low:.0f} · {middle:.0f} · {high:.0f} px"


def _told_classes(classes: np.ndarray) -> str:
    shares = [_percent(count, classes.sum()) for count in classes]
    return f"{shares[0]} small, {shares[1]} medium, {shares[2]} large"


def _figure(title: str, chart_title: str, marks: Sequence[Mark]) -> Figure:
    return Figure(title, bar_chart(chart_title, marks), "" if marks else "Nothing is annotated.")


def _shares(taxonomy: Taxonomy, counts: np.ndarray, colour: Colour, most: int) -> list[Mark]:
    """The most common states, with number and share."""
    total = int(counts.sum())
    return [_share_mark(taxonomy.states[state], int(counts[state]), total, colour) for state in _highest(counts, most)]


def _share_mark(name: str, count: int, total: int, colour: Colour = ACCENT) -> Mark:
    return Mark(display_name(name), count, f"{count:,} ({_percent(count, total)})", colour)


def _counted(names: Iterable[str], counts: np.ndarray) -> list[Mark]:
    return [Mark(display_name(name), int(count), f"{count:,}", ACCENT) for name, count in zip(names, counts)]


def _highest(counts: np.ndarray, most: int) -> list[int]:
    """Positions of the greatest counts in falling order, the earlier first among equals, none of a count of 0."""
    order = np.argsort(-counts, kind="stable")[:most]
    return [int(i) for i in order if counts[i] > 0]


def _imbalance(kind: str, names: Sequence[str], counts: np.ndarray) -> str:
    if not counts.any():
        return f"No {kind} are annotated."
    most, least = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max()).argmin())
    text = f"Most {kind}: {display_name(names[most])} with {counts[most]:,}, {counts[most] / counts[least]:.1f} times "
    text += f"the {counts[least]:,} of {display_name(names[least])}, which has fewest."
    without = [display_name(names[i]) for i in np.flatnonzero(counts == 0)]
    return text + (f" Without {kind}: {', '.join(without)}." if without else "")


def _percent(count: float, total: float) -> str:
    share = 100 * count / total if total else 0.0
    if share < 0.1:
        return "< 0.1 %" if share else "0 %"
    return f"{share:.1f} %" if share < 10 else f"{share:.0f} %"
