"""What the index of a data set holds: seven Arrow tables under ``ROOT/index/``, one file each.

Rows are in order of split, action, video, frame, person and part, so whatever belongs to a row is a slice of the next
table: the persons of frame row ``f`` are rows ``person_start[f]:person_stop[f]`` of ``persons``. Each child row also
names its parent's row. All row numbers of a table are shifted together when two indexes are joined, see
:mod:`.tables`; :data:`LINKS` says which column counts rows of which table.

Boxes are ``xyxy`` in pixels as annotated. ``extra`` is the JSON of the keys that the schema does not know, or null.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 1
"""Raised whenever an index that was written before can no longer be read as it is."""

NO_NUMBER = -1

_ROW = pa.int32()
_NAME = pa.dictionary(pa.int32(), pa.string())
_BOX = pa.list_(pa.float32(), 4)

SCHEMAS: dict[str, pa.Schema] = {
    "videos": pa.schema(
        [
            ("split", _NAME),
            ("action", _NAME),
            ("file", pa.string()),  # name of the file in its action's folder
            ("usable", pa.bool_()),  # can be read, has a known action and a name of its own
            ("error", pa.string()),  # why the file cannot be read, or null
            ("num_frames", _ROW),  # what is used of it: no more than are listed or can be read
            ("video_frames", _ROW),  # in the file
            ("listed_frames", _ROW),  # by the data set's own list, or null
            ("decoded_frames", _ROW),  # counted by decoding, or null where that was not asked for
            ("height", _ROW),
            ("width", _ROW),
            ("fps", pa.float64()),
            ("video_bytes", pa.int64()),
            ("video_mtime", pa.int64()),  # nanoseconds
            ("folder_mtime", pa.int64()),  # of the folder of annotations, 0 where there is none
            ("stamp", pa.string()),  # digest of the annotations' names, sizes and times
            ("content", pa.string()),  # digest of the annotations' bytes
            ("frame_start", _ROW),
            ("frame_stop", _ROW),
            ("problem_start", _ROW),
            ("problem_stop", _ROW),
            ("key_start", _ROW),
            ("key_stop", _ROW),
        ]
    ),
    "frames": pa.schema(
        [
            ("video", _ROW),
            ("number", _ROW),  # from 1
            ("person_start", _ROW),
            ("person_stop", _ROW),
            ("object_start", _ROW),
            ("object_stop", _ROW),
            ("extra", pa.string()),
        ]
    ),
    "persons": pa.schema(
        [
            ("frame", _ROW),
            ("number", _ROW),
            ("box", _BOX),
            ("part_start", _ROW),
            ("part_stop", _ROW),
            ("extra", pa.string()),
        ]
    ),
    "parts": pa.schema(
        [
            ("person", _ROW),
            ("number", _ROW),
            ("part", _NAME),
            ("state", _NAME),
            ("box", _BOX),
            ("extra", pa.string()),
        ]
    ),
    "objects": pa.schema(
        [("frame", _ROW), ("number", _ROW), ("name", _NAME), ("box", _BOX), ("extra", pa.string())],
    ),
    "problems": pa.schema(
        [
            ("video", _ROW),  # -1 where no video has it
            ("kind", _NAME),  # of checks.KINDS
            ("frame", _ROW),  # number, 0 where it is not about one
            ("file", pa.string()),  # below ROOT
            ("key", pa.string()),
            ("value", pa.string()),
            ("message", pa.string()),
        ]
    ),
    "keys": pa.schema([("video", _ROW), ("key", _NAME), ("count", pa.int64())]),
}

LINKS: dict[str, dict[str, str]] = {
    "videos": {
        "frame_start": "frames",
        "frame_stop": "frames",
        "problem_start": "problems",
        "problem_stop": "problems",
        "key_start": "keys",
        "key_stop": "keys",
    },
    "frames": {
        "video": "videos",
        "person_start": "persons",
        "person_stop": "persons",
        "object_start": "objects",
        "object_stop": "objects",
    },
    "persons": {"frame": "frames", "part_start": "parts", "part_stop": "parts"},
    "parts": {"person": "persons"},
    "objects": {"frame": "frames"},
    "problems": {"video": "videos"},
    "keys": {"video": "videos"},
}
