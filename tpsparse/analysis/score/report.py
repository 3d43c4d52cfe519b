"""A diagnosis as files: ``bottleneck.json``, the pictures, and one self-contained page, ``report.html``."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ...evaluation.functional import Interval, TPSResult, contributions, difference_interval
from ...structures.files import remove_partials, write_json, writing_told
from ...visualization.palette import display_name
from ..charts import Mark, stacked_bar
from ..writing import write_whole
from .diagnosis import Diagnosis
from .figures import CAUSE_COLOURS, figures_of
from .page import SCORE_PAGE
from .points import CAUSES, NO_PART, PART_CAUSES, PointTables, most_confused, per_cent
from .replacing import ROWS

JSON, PAGE = "bottleneck.json", "report.html"
MAIN = {"score": "score", "action_top1": "action top-1", "mean_psc": "mean PSC"}
CONFUSED_PAIRS = 10


@dataclass(frozen=True)
class Comparison:
    """Another system over the same videos, and by how much this one is better: in score and in action top-1."""

    name: str
    result: TPSResult
    difference: Interval
    top1_difference: Interval

    @classmethod
    def of(cls, name: str, own: TPSResult, other: TPSResult) -> Comparison:
        """The paired differences, with their intervals.

        Raises:
            InputError: If the two are not over the same videos.
        """
        score = difference_interval(contributions(own), contributions(other))
        return cls(name, other, score, difference_interval(own.action_correct, other.action_correct))

    def to_json(self) -> dict[str, Any]:
        """As ``bottleneck.json`` holds it."""
        return {
            "system": self.name,
            "score": self.result.score,
            "difference": self.difference.to_json(),
            "action_top1": self.result.action_top1,
            "action_top1_difference": self.top1_difference.to_json(),
        }


def write_diagnosis(
    diagnosis: Diagnosis, out: Path, *, system: str, failed: list[str], against: Comparison | None = None
) -> list[Path]:
    """Write every file of a diagnosis to the folder ``out``, each in one move; the page comes last.

    Args:
        diagnosis: What the pass has found.
        out: Made if need be.
        system: Its name, for the page.
        failed: Videos without a record, which were scored as empty.
        against: Another system to compare with.

    Raises:
        InputError: If a file cannot be written.
    """
    remove_partials(out)
    content = diagnosis.to_json()
    content = {"system": system, "failed": failed, "against": None if against is None else against.to_json(), **content}
    with writing_told(out / JSON):
        write_json(out / JSON, content)
    pictures = figures_of(diagnosis)
    for name, picture in pictures.items():
        write_whole(out / name, picture)
    page = render(diagnosis, pictures, system=system, failed=failed, against=against)
    write_whole(out / PAGE, page.encode("utf-8"))
    return [out / name for name in (PAGE, JSON, *pictures)]


def render(
    diagnosis: Diagnosis,
    pictures: dict[str, bytes],
    *,
    system: str,
    failed: list[str],
    against: Comparison | None = None,
) -> str:
    """The page; ``pictures`` by the names that :func:`figures_of` gives them."""

    def picture(name: str, title: str, kind: str = "card full") -> Markup:
        data = base64.b64encode(pictures[name]).decode("ascii")
        image = f'<img src="data:image/png;base64,{data}" alt="{escape(title)}" loading="lazy">'
        return Markup(f'<figure class="{kind}">{image}</figure>')

    points = diagnosis.points
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(SCORE_PAGE).render(
        system=system,
        videos=len(diagnosis.result.psc),
        main=[(MAIN[name], interval) for name, interval in diagnosis.intervals.items()],
        against=against,
        rows=_rows(diagnosis),
        told=f"{len(failed)} videos have no record and count as empty: {', '.join(failed)}." if failed else "",
        lost=sum(points.totals().values()),
        causes=_cause_bar(points),
        cause_note=_cause_note(points),
        picture=picture,
        confused=_confused(points),
        tables=_tables(points),
        share=_share,
        per_cent=per_cent,
    )


def _rows(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    base = ROWS[0].paper
    return [
        {
            "ticks": (row.actor, row.part_boxes, row.part_states, row.action),
            "interval": interval,
            "gain": gain,
            "paper": row.paper,
            "paper_gain": row.paper - base,
        }
        for row, interval, gain in zip(ROWS, diagnosis.row_intervals, diagnosis.gains)
    ]


def _cause_bar(points: PointTables) -> Markup:
    totals = points.totals()
    marks = [
        Mark(cause, max(totals[cause], 0.0), per_cent(totals[cause]), CAUSE_COLOURS[cause]) for cause in CAUSES[:-1]
    ]
    return stacked_bar("lost points by cause", marks)


def _cause_note(points: PointTables) -> str:
    totals = points.totals()
    causes = ", ".join(f"{cause} {per_cent(totals[cause])}" for cause in CAUSES[:-1])
    rest = f"{round(100 * totals['remainder'], 4) + 0.0:+.4f}"
    return f"{causes}; whole ten thousandths as thresholds and parts with several proposals make {rest}."


def _confused(points: PointTables) -> list[tuple[str, list[tuple[str, str, int]]]]:
    taxonomy = points.taxonomy
    actions = most_confused(points.action_confusion(), map(display_name, taxonomy.actions), CONFUSED_PAIRS)
    states = most_confused(points.state_confusion(), map(display_name, taxonomy.states), CONFUSED_PAIRS)
    return [("Actions taken for another", actions), ("States taken for another", states)]


def _tables(points: PointTables) -> list[dict[str, Any]]:
    tables = []
    for kind, title in (("action", "action"), ("part", "part"), ("state", "annotated state")):
        by_video = kind == "action"
        entries = [(_display(name), entry) for name, entry in points.table(kind).items()]
        tables.append(
            {
                "kind": title,
                "causes": CAUSES if by_video else PART_CAUSES,
                "counted": "videos" if by_video else "annotated",
                "located": not by_video,
                "entries": entries,
            }
        )
    return tables


def _display(name: str) -> str:
    return name if name == NO_PART else display_name(name)


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}" if total else ""
