"""An index made by hand, without files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tpsparse.datasets.index import TPSIndex
from tpsparse.datasets.index.schema import SCHEMAS
from tpsparse.datasets.index.tables import Tables, make_tables
from tpsparse.taxonomy import Taxonomy

Person = list[int]
"""State ids by part, -1 for an absent part."""


def make_index(taxonomy: Taxonomy, videos: list[tuple[int, list[list[Person]]]]) -> TPSIndex:
    """Training videos as (action, frames); a frame is its persons."""
    return TPSIndex(Path("root"), "train", taxonomy, tables_of(taxonomy, videos))


def tables_of(taxonomy: Taxonomy, videos: list[tuple[int, list[list[Person]]]]) -> Tables:
    """The tables of such videos; all boxes are [0, 0, 1, 1]."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in SCHEMAS}
    box = np.array([0, 0, 1, 1], dtype=np.float32)
    for video, (action, frames) in enumerate(videos):
        start = len(rows["frames"])
        for number, persons in enumerate(frames, 1):
            first = len(rows["persons"])
            for states in persons:
                part_start = len(rows["parts"])
                rows["parts"] += [
                    dict(person=len(rows["persons"]), part=taxonomy.parts[part], state=taxonomy.states[state], box=box)
                    for part, state in enumerate(states)
                    if state >= 0
                ]
                ends = dict(part_start=part_start, part_stop=len(rows["parts"]))
                rows["persons"].append(dict(frame=len(rows["frames"]), box=box, **ends))
            ends = dict(person_start=first, person_stop=len(rows["persons"]), object_start=0, object_stop=0)
            rows["frames"].append(dict(video=video, number=number, **ends))
        facts = dict(split="train", action=taxonomy.actions[action], file=f"v{video}.mp4", usable=True, fps=1.0)
        rows["videos"].append(dict(facts, frame_start=start, frame_stop=len(rows["frames"]), num_frames=len(frames)))
    return make_tables(
        {
            table: {
                field.name: [row.get(field.name, None if pa.types.is_string(field.type) else 0) for row in rows[table]]
                for field in schema
            }
            for table, schema in SCHEMAS.items()
        }
    )
