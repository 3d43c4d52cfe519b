"""The problems that the index has found, by kind, as the report tells them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from ..datasets.index.checks import ERROR, KINDS
from ..errors import InputError

EXAMPLES = 3
LONGEST = 160
"""Characters of a value or message that an example shows."""


@dataclass
class Finding:
    """Problems of one kind.

    Attributes:
        kind: As in ``problems.csv``.
        severity: ``error``: what it names is not used; ``warning``: it is used as annotated.
        remedy: What to do about it.
        count: How many there are.
        examples: File and message of the first few.
    """

    kind: str
    severity: str
    remedy: str
    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)


def read_findings(path: Path) -> list[Finding]:
    """Problems of a data set by kind, errors before warnings and the most frequent first.

    Args:
        path: ``problems.csv`` of the index; nothing was found where it is missing.

    Raises:
        InputError: If it is not what the index writes.
    """
    if not path.is_file():
        return []
    found: dict[str, Finding] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                _add(found, row)
    except (KeyError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it and run tools/prepare_data.py index") from error
    return sorted(found.values(), key=lambda finding: (finding.severity != ERROR, -finding.count, finding.kind))


def _add(found: dict[str, Finding], row: dict[str, str]) -> None:
    kind = row["kind"]
    if kind not in found:
        found[kind] = Finding(kind, row["severity"], KINDS[kind].remedy if kind in KINDS else "")
    finding = found[kind]
    finding.count += 1
    if len(finding.examples) < EXAMPLES:
        named = row["key"] and row["value"] not in row["message"]
        told = f"{row['key']} {row['value']} {row['message']}" if named else row["message"]
        finding.examples.append((row["file"], _shortened(told)))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
