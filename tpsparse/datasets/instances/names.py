"""Names of TAPOS's action instances: which shot of the source video, and from when to when in the shot.

``s00004_0_100_7_931`` is shot s00004 from 0.100 s to 7.931 s: seconds and the digits of their fraction stand apart.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import InputError

FORM = "s<shot>_<start s>_<start ms>_<end s>_<end ms>"
_NAME = re.compile(r"(s\d+)_(\d{1,9})_(\d{1,9})_(\d{1,9})_(\d{1,9})", re.ASCII)


class InstanceName(NamedTuple):
    """What a name says: the shot, and start and end in seconds from the shot's own start."""

    shot: str
    start: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds; negative where the end lies before the start."""
        return self.end - self.start


def parse_name(name: str) -> InstanceName:
    """Read the name of an instance.

    The fraction is text: ``5_112`` is 5.112 s, ``5_12`` is 5.12 s and ``5_012`` is 5.012 s.

    Raises:
        InputError: If it has another form.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise InputError(f"{name} is no name of an instance: name it {FORM}")
    shot, start, start_fraction, end, end_fraction = found.groups()
    return InstanceName(shot, float(f"{start}.{start_fraction}"), float(f"{end}.{end_fraction}"))
