"""A driver in a process of its own, to be killed: LIST OUT PAUSE [ADDRESS]."""

from __future__ import annotations

import sys
from functools import partial

from cheap_system import CheapSystem

from tpsparse.cluster import Collection, parse_collection
from tpsparse.cluster.run import Rules

if __name__ == "__main__":
    source, out, pause, *address = sys.argv[1:]
    parse_collection(
        Collection(source),
        out,
        partial(CheapSystem, float(pause)),
        address=address[0] if address else None,
        workers=2,
        rules=Rules(progress=False),
    )
