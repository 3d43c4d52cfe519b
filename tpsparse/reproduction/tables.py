"""Tables of a study as Markdown: the report's number beside mean and deviation over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

NOTHING = "-"


def render(table: dict[str, Any]) -> str:
    """A study's table, its comparisons, and what they were measured on.

    Args:
        table: As :meth:`tpsparse.reproduction.Study.run` gives it; values are shares, printed in per cent.
    """
    columns = list(table["columns"].items())
    paper = {name for name, _ in columns for row in table["rows"].values() if name in row["paper"]}
    head = [table["title"]]
    for name, heading in columns:
        head += [f"{heading}, report"] * (name in paper) + [heading]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in table["rows"].values():
        cells = [row["name"]]
        for name, _ in columns:
            cells += [_paper(row["paper"].get(name))] * (name in paper) + [spread(row["values"].get(name, []))]
        lines.append(_line(cells))
    lines += ["", _measured_on(table)]
    names = {key: row["name"] for key, row in table["rows"].items()}
    lines += [f"- {line}" for comparison in table["comparisons"] for line in _differences(comparison, names, table)]
    for metric, heading in table.get("by_part", {}).items():
        lines += ["", *_by_part(metric, heading, table)]
    return "\n".join(lines) + "\n"


def _by_part(metric: str, heading: str, table: dict[str, Any]) -> list[str]:
    """A table of one metric, parts by rows and the study's rows by columns."""
    rows = list(table["rows"].values())
    lines = [_line([heading, *(row["name"] for row in rows)]), _line(["---"] * (len(rows) + 1))]
    for part in table["parts"]:
        lines.append(_line([part, *(spread(row["values"].get(f"{metric}/{part}", [])) for row in rows)]))
    return lines


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation of shares, in per cent; one value alone has no deviation."""
    if not values or any(not math.isfinite(value) for value in values):
        return NOTHING
    text = f"{100 * mean(values):.1f}"
    return f"{text} ± {100 * stdev(values):.1f}" if len(values) > 1 else text


def _paper(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _measured_on(table: dict[str, Any]) -> str:
    seeds = ", ".join(map(str, table["seeds"]))
    data = table["data"]
    return (
        f"Trained on {data['train']} and tested on {data['test']} of {data['root']}, seeds {seeds}: "
        "mean ± standard deviation. Columns marked report are the paper's own numbers, on its own data."
    )


def _differences(comparison: dict[str, Any], names: dict[str, str], table: dict[str, Any]) -> list[str]:
    """A line for each of the table's columns in which two rows were compared."""
    pair = f"{names[comparison['first']]} against {names[comparison['second']]}"
    found = {metric: each for metric, each in comparison["differences"].items() if metric in table["columns"]}
    if not found:
        return [f"{pair}: the test split has nothing to compare them by"]
    return [f"{pair}: {table['columns'][metric]} {_difference(each)}" for metric, each in found.items()]


def _difference(found: dict[str, Any]) -> str:
    seeds = ", ".join(f"{100 * value:+.1f}" for value in found["seeds"])
    return (
        f"{100 * found['value']:+.1f}, 95 % interval over videos "
        f"{100 * found['low']:+.1f} to {100 * found['high']:+.1f}; by seed {seeds}"
    )
