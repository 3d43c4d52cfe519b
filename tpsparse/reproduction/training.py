"""Several networks trained at a time, each in a process of its own, in the order that they depend on each other."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

import torch

from ..errors import InputError
from ..workers import end_with
from .networks import Network, train_network
from .workplace import LOG, Result

Running = dict[Future, tuple[Network, int]]
"""Networks in training, each with its line of the terminal."""


def default_jobs() -> int:
    """Networks trained at a time where nothing is said: one a core, or one where there is a GPU."""
    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def train_side_by_side(networks: Sequence[Network], jobs: int) -> None:
    """Train networks that do not learn from saved parses, and before them those that they start from.

    Args:
        networks: Of one workplace or several; those that are trained already are passed over.
        jobs: At a time, each with its share of the cores.
    """
    networks = with_sources(networks)
    waiting = [network for network in networks if not network.trained]
    if jobs == 1 or len(waiting) < 2:
        for network in networks:
            network.train()
        return
    jobs = min(jobs, len(waiting))
    threads = max(1, (os.cpu_count() or 1) // jobs)
    for network in waiting:
        network.claim()
    LOG.info("train %s: started, %d at a time", ", ".join(network.name for network in waiting), jobs)
    with spawned_pool(jobs, threads) as pool:
        try:
            _train_in(pool, waiting, jobs)
        except BaseException:
            # After an error or an interrupt, what has not begun does not begin.
            pool.shutdown(cancel_futures=True)
            raise


def with_sources(networks: Sequence[Network]) -> list[Network]:
    """The networks and all that they start from, each once and after its own source.

    Those that others wait for come first, so that nothing waits longer than it must.
    """
    found: dict[tuple[str, str], Network] = {}
    depths: dict[tuple[str, str], int] = {}
    sources: set[tuple[str, str]] = set()
    for network in networks:
        chain = [network]
        while chain[-1].source is not None:
            chain.append(chain[-1].source)
        for depth, each in enumerate(reversed(chain)):
            found.setdefault(_key(each), each)
            depths[_key(each)] = depth
        sources.update(_key(each) for each in chain[1:])
    # The order that was given is kept otherwise.
    order = sorted(found, key=lambda key: depths[key] if key in sources else len(found))
    return [found[key] for key in order]


def spawned_pool(jobs: int, threads: int) -> ProcessPoolExecutor:
    """Processes of their own interpreter, which share the cores and end with this one."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, spawn, _enter_worker, (threads, os.getpid()))


def _train_in(pool: ProcessPoolExecutor, waiting: list[Network], jobs: int) -> None:
    """Hand over each network as soon as a process is free and what it starts from is there."""
    waiting = list(waiting)
    running: Running = {}
    lines = list(range(jobs))  # of the terminal, one for each progress bar
    while waiting or running:
        _start_ready(pool, waiting, running, lines)
        if not running:
            raise InputError(_waiting_for_ever(waiting[0]))
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            network, line = running.pop(future)
            lines.append(line)
            result, seconds = future.result()
            network.place.note(f"train {network.name}", network.identity, result, seconds)


def _start_ready(pool: ProcessPoolExecutor, waiting: list[Network], running: Running, lines: list[int]) -> None:
    """Start what is ready, as far as there are free lines; it leaves ``waiting``."""
    busy = {network.folder for network, _ in running.values()}
    for network in list(waiting):
        ready = network.source is None or network.source.trained
        # Stages may share weights under two names: the second then only finds that all is done.
        if not lines or not ready or network.folder in busy:
            continue
        busy.add(network.folder)
        line = lines.pop(0)
        running[pool.submit(_train_in_worker, network.call(), line)] = (network, line)
        waiting.remove(network)


def _waiting_for_ever(network: Network) -> str:
    """What to tell where two configs have one name, and the other one was trained."""
    assert network.source is not None
    told = f"config {network.config} starts from {network.source.config}, but {network.source.folder}"
    return f"{told} was trained with another config: rename one of the two, or give another --work-dir"


def _key(network: Network) -> tuple[str, str]:
    return str(network.place.work_dir), network.name


def _train_in_worker(call: dict[str, Any], line: int) -> tuple[Result, float]:
    start = time.perf_counter()
    return train_network(call, line), time.perf_counter() - start


def _enter_worker(threads: int, parent: int) -> None:
    """Take a share of the cores, and end with the parent."""
    torch.set_num_threads(threads)
    # The pool spawned this process; the runner wants loader workers forked, and says so where it finds otherwise.
    multiprocessing.set_start_method("fork", force=True)
    end_with(parent)
