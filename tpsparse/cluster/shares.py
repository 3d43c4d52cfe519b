"""What each worker asks of a cluster, so that all of them find a machine."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

UNITS = 10_000
"""Ray counts in ten thousandths of a core or a GPU; rounded up, shares of one would not fit it."""


class Machine(NamedTuple):
    """What a machine of the cluster has."""

    cpus: int
    gpus: int


class Share(NamedTuple):
    """How many workers there are, the threads of each, and what each asks for of one machine."""

    workers: int
    threads: int
    cpus: float
    gpus: float


def machines_of(nodes: Iterable[Mapping[str, Any]]) -> list[Machine]:
    """Those that are there, of what ``ray.nodes()`` tells."""
    resources = [node.get("Resources", {}) for node in nodes if node.get("Alive")]
    return [Machine(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in resources]


def share_out(machines: Iterable[Machine], workers: int | None = None) -> Share:
    """Share out cores and GPUs.

    A worker is never split over machines, so it asks for no more cores than the smallest machine has that can hold
    one (with GPUs, of those that have any: any of them may be the last that is left), nor for so many that not all
    workers fit. Where there are fewer cores than workers, they share.

    Args:
        machines: Of the cluster; where none has a core, one is asked for, which a cluster that grows then adds.
        workers: How many; one a GPU, or one a core where there is no GPU, if not given.
    """
    able = [machine for machine in machines if machine.cpus]
    hosts = [machine for machine in able if machine.gpus] or able
    if not hosts:
        return Share(workers or 1, threads=1, cpus=1, gpus=0)
    cpus, gpus = sum(host.cpus for host in hosts), sum(host.gpus for host in hosts)
    workers = workers or gpus or cpus
    on_one = math.ceil(workers / gpus) if gpus else 0
    most = min(cpus // workers, min(host.cpus for host in hosts))
    shares = itertools.chain(map(Fraction, range(most, 0, -1)), (Fraction(1, count) for count in itertools.count(2)))
    share = next(share for share in shares if sum(_room(host, share, on_one) for host in hosts) >= workers)
    return Share(workers, max(1, int(share)), _rounded(share), _rounded(Fraction(1, on_one)) if gpus else 0)


def _room(host: Machine, share: Fraction, on_one: int) -> int:
    """Workers that a machine can hold, of which so many have a GPU together, if any."""
    by_cores = math.floor(host.cpus / share)
    return min(by_cores, host.gpus * on_one) if on_one else by_cores


def _rounded(share: Fraction) -> float:
    """Down to what Ray counts in."""
    return float(share) if share >= 1 else max(1, math.floor(share * UNITS)) / UNITS
