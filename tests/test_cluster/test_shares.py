"""What workers ask of the machines of a cluster."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tpsparse.cluster.shares import Machine, Share, machines_of, share_out


@pytest.mark.parametrize(
    ("machines", "workers", "expected"),
    [
        ([(8, 0)], None, Share(8, 1, 1, 0)),
        ([(8, 0)], 3, Share(3, 2, 2, 0)),
        ([(1, 0)], 1, Share(1, 1, 1, 0)),
        ([(2, 0)], 5, Share(5, 1, 0.3333, 0)),  # three on one core
        ([(1, 0), (1, 0)], 1, Share(1, 1, 1, 0)),  # not two cores: they are on two machines
        ([(1, 0), (1, 0)], 3, Share(3, 1, 0.5, 0)),  # at 2/3 a core there would be room for two alone
        ([(6, 0), (1, 1)], None, Share(1, 1, 1, 1)),  # no cores of a machine without a GPU
        ([(3, 0), (3, 0)], 3, Share(3, 1, 1, 0)),  # at 2 cores there would be room for two alone
        ([(4, 0), (4, 0)], 2, Share(2, 4, 4, 0)),
        ([(64, 0), (4, 0)], 4, Share(4, 4, 4, 0)),
        ([(0, 0), (4, 0)], None, Share(4, 1, 1, 0)),  # a head that works for the cluster alone
        ([(16, 2)], None, Share(2, 8, 8, 1)),
        ([(16, 2)], 4, Share(4, 4, 4, 0.5)),
        ([(16, 2)], 5, Share(5, 3, 3, 0.3333)),
        ([(4, 8)], None, Share(8, 1, 0.5, 1)),
        ([(64, 4), (8, 4)], None, Share(8, 2, 2, 1)),
        ([(64, 8), (0, 1)], None, Share(8, 8, 8, 1)),  # a GPU without a core
        ([], None, Share(1, 1, 1, 0)),
        ([(0, 0)], 3, Share(3, 1, 1, 0)),
    ],
)
def test_shares(machines, workers, expected):
    assert share_out([Machine(*each) for each in machines], workers) == expected


def test_all_workers_have_room():
    """Placed one after the other as Ray does, in ten thousandths."""
    generator = np.random.default_rng(0)
    for _ in range(300):
        machines = [Machine(*map(int, generator.integers(0, (9, 3)))) for _ in range(generator.integers(1, 5))]
        if not any(machine.cpus for machine in machines):
            continue
        share = share_out(machines, int(generator.integers(1, 20)))
        cpus, gpus = round(share.cpus * 10_000), round(share.gpus * 10_000)
        room = 0
        for machine in machines:
            by_gpus = machine.gpus * 10_000 // gpus if gpus else math.inf
            room += min(machine.cpus * 10_000 // cpus, by_gpus)
        assert room >= share.workers and share.threads == max(1, int(share.cpus)), (machines, share)


def test_machines():
    nodes = [
        dict(Alive=True, Resources={"CPU": 4.0, "GPU": 1.0, "memory": 1e9}),
        dict(Alive=False, Resources={"CPU": 8.0}),
        dict(Alive=True, Resources={"memory": 1e9}),
        dict(Alive=True),
    ]
    assert machines_of(nodes) == [(4, 1), (0, 0), (0, 0)]
