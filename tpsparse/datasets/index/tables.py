"""The tables of an index as a whole: joined, written, read by memory map.

An index of a few videos and that of a whole data set are the same thing, so reading in pieces, going on after an
interruption and reading only what changed are all one operation, :func:`join`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from ...structures.files import atomic_write, writing_told
from .schema import LINKS, SCHEMAS, VERSION

Tables = dict[str, pa.Table]
Rows = dict[str, tuple[int, int]]


class OtherVersionError(Exception):
    """The index was written by a version of this package that stored it differently."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


def make_tables(columns: Mapping[str, Mapping[str, Sequence]]) -> Tables:
    """Tables from plain columns, with the types of the schema; a box column is an array (N, 4)."""
    return {name: _make_table(schema, columns[name]) for name, schema in SCHEMAS.items()}


def empty_tables() -> Tables:
    """An index of nothing."""
    return {name: schema.empty_table() for name, schema in SCHEMAS.items()}


def numbers(table: pa.Table, column: str) -> np.ndarray:
    """A column of numbers without nulls as (rows,), of names as positions in :func:`names`, of boxes as (rows, 4).

    No copy is made of a table in one piece, as :func:`load` gives.
    """
    array = _whole(table[column])
    if pa.types.is_dictionary(array.type):
        array = array.indices
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        return array.flatten().to_numpy(zero_copy_only=True).reshape(-1, width)
    return array.to_numpy(zero_copy_only=True)


def names(table: pa.Table, column: str) -> list[str]:
    """The names that occur in a column of names."""
    if not len(table):
        return []
    return _whole(table[column]).dictionary.to_pylist()


def strings(table: pa.Table, column: str) -> np.ndarray:
    """A column of names as (rows,) Python strings."""
    if not len(table):
        return np.zeros(0, dtype=object)
    return np.array(names(table, column), dtype=object)[numbers(table, column)]


def rows_of_videos(tables: Tables, start: int, stop: int) -> Rows:
    """For each table the rows ``[start, stop)`` that belong to these rows of videos, of which there is at least one."""
    rows = {"videos": (start, stop)}
    below = (("frames", "videos", "frame"), ("problems", "videos", "problem"), ("keys", "videos", "key"))
    for child, parent, link in (*below, ("persons", "frames", "person"), ("objects", "frames", "object")):
        rows[child] = _child_rows(tables[parent], rows[parent], link)
    rows["parts"] = _child_rows(tables["persons"], rows["persons"], "part")
    return rows


def join(pieces: Iterable[tuple[Tables, int, int]]) -> Tables:
    """The index of all these pieces in order: ``(tables, first row of videos, row after the last)`` each."""
    parts: dict[str, list[pa.Table]] = {name: [schema.empty_table()] for name, schema in SCHEMAS.items()}
    lengths = dict.fromkeys(SCHEMAS, 0)
    for tables, start, stop in pieces:
        rows = rows_of_videos(tables, start, stop)
        shifts = {name: lengths[name] - rows[name][0] for name in SCHEMAS}
        for name in SCHEMAS:
            first, last = rows[name]
            parts[name].append(_shifted(tables[name].slice(first, last - first), LINKS[name], shifts))
            lengths[name] += last - first
    return {name: pa.concat_tables(tables).unify_dictionaries().combine_chunks() for name, tables in parts.items()}


def append_rows(table: pa.Table, name: str, columns: Mapping[str, Sequence]) -> pa.Table:
    """``table`` with further rows of the schema ``name``."""
    more = _make_table(SCHEMAS[name], columns)
    return pa.concat_tables([table, more]).unify_dictionaries().combine_chunks()


def save(tables: Tables, folder: Path, *, lists: str) -> None:
    """Write all tables, marked as of one generation, and then put them all in place.

    Args:
        tables: All tables of the schema.
        folder: Made if need be.
        lists: Digest of the lists that the tables were checked against.

    Raises:
        InputError: If a file cannot be written, as on a full disk; then those that were there before stay.
    """
    marks = {"version": str(VERSION), "generation": uuid.uuid4().hex, "lists": lists}
    with ExitStack() as moves:  # the files are moved into place when all of them are written
        for name, table in tables.items():
            path = folder / f"{name}.arrow"
            with writing_told(path):
                write_file(moves.enter_context(atomic_write(path)), table.replace_schema_metadata(marks))


def write_file(path: Path, table: pa.Table) -> None:
    """Write one table as an Arrow file of a single batch, which can be mapped without a copy."""
    table = table.combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def load(folder: Path) -> Tables | None:
    """Map the tables of a folder; None where they are not all there or not all of one generation.

    Raises:
        OtherVersionError: If they were written by another version.
    """
    tables = {}
    for name in SCHEMAS:
        try:
            with pa.memory_map(str(folder / f"{name}.arrow")) as file:
                tables[name] = pa.ipc.open_file(file).read_all()
        except (OSError, pa.ArrowInvalid):
            return None
    versions = {int(mark(table, "version")) if mark(table, "version").isdecimal() else 0 for table in tables.values()}
    if versions != {VERSION}:
        raise OtherVersionError(max(versions))
    if len({mark(table, "generation") for table in tables.values()}) > 1:
        return None
    return tables


def mark(table: pa.Table, name: str) -> str:
    """What :func:`save` has noted in a table."""
    return (table.schema.metadata or {}).get(name.encode(), b"").decode()


def _make_table(schema: pa.Schema, columns: Mapping[str, Sequence]) -> pa.Table:
    return pa.table([_make_array(columns[field.name], field.type) for field in schema], schema=schema)


def _make_array(values: Sequence, kind: pa.DataType) -> pa.Array:
    if pa.types.is_fixed_size_list(kind):
        flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat), kind.list_size)
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode().cast(kind)
    return pa.array(values, kind)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def _child_rows(parent: pa.Table, rows: tuple[int, int], link: str) -> tuple[int, int]:
    """Children of neighbouring rows are neighbours; rows without children still say where they would be."""
    start, stop = rows
    if start == stop:
        return 0, 0
    return int(numbers(parent, f"{link}_start")[start]), int(numbers(parent, f"{link}_stop")[stop - 1])


def _shifted(table: pa.Table, links: dict[str, str], shifts: dict[str, int]) -> pa.Table:
    for column, target in links.items():
        if shifts[target] and len(table):
            position = table.schema.get_field_index(column)
            moved = numbers(table, column) + np.int32(shifts[target])
            table = table.set_column(position, table.schema.field(position), pa.array(moved, table[column].type))
    return table
