"""A pool of workers on Ray: the one module that knows it.

Each worker is an actor with one process. Ray restarts nothing by itself: what a worker had when it died is for the
driver to decide. Actors belong to the driver's job, so they end with it however it ends.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import socket
from collections.abc import Callable
from typing import Any

from ..errors import InputError
from ..workers import cores
from .folder import Identity, Item
from .pool import Died, Event
from .work import Choices, System, Worker

STORE_BYTES = 80_000_000
"""Ray's shared memory of a local run; results go to files, so next to nothing is kept there."""
LOCAL = "local"
KNOCK_SECONDS = 10.0

KILLED = "its process was killed or crashed: by the system for want of memory (see dmesg), a user, or a library's fault"
GONE = "its machine is gone"

# Before Ray is imported: it would report its use, warn of versions to come, and tell in its own words of each worker
# that dies, which the driver does.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker died or was killed")


class RayPool:
    """Workers on Ray.

    Args:
        make: Gives the system; workers import the module it is of.
        out: The output folder.
        choices: What is kept of a video.
        address: Of a cluster, as ``ray://HOST:10001``, ``HOST:6379`` or ``auto``; a Ray of this machine alone is
            started and ended if there is none.
        workers: How many; one a GPU, or one a core where there is no GPU, if not given.

    Raises:
        InputError: If Ray is not installed, or there is none at the address.
    """

    def __init__(
        self,
        make: Callable[[], System],
        out: str,
        choices: Choices,
        *,
        address: str | None = None,
        workers: int | None = None,
    ) -> None:
        self._ray = import_ray()
        self.address = address
        self._connect(address)
        resources = self._ray.cluster_resources()
        cpus, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
        self.workers = workers or gpus or cpus
        self.threads = max(1, cpus // self.workers)
        on_one = math.ceil(self.workers / gpus) if gpus else 0
        share = dict(num_cpus=min(self.threads, cpus / self.workers), num_gpus=1 / on_one if on_one else 0)
        self._actor = self._ray.remote(max_restarts=0, max_task_retries=0, **share)(Worker)
        self._given = dict(threads=self.threads, cwd=os.getcwd())
        self._make, self._out, self._choices = make, out, choices
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, int] = {}

    def start(self, worker: int) -> None:
        """See :class:`.Pool`."""
        self._end(worker)
        self._actors[worker] = self._actor.remote(self._make, self._out, self._choices, **self._given)
        self._calls[self._actors[worker].start.remote()] = worker

    def submit(self, worker: int, item: Item, identity: Identity) -> None:
        """See :class:`.Pool`."""
        self._calls[self._actors[worker].parse.remote(item, identity)] = worker

    def wait(self, seconds: float) -> list[tuple[int, Event]]:
        """See :class:`.Pool`."""
        calls = list(self._calls)
        done, _ = self._ray.wait(calls, num_returns=1, timeout=seconds)
        if done:  # and what else has ended in the same moment
            done, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        return [(self._calls.pop(call), self._event(call)) for call in done]

    def kill(self, worker: int) -> None:
        """See :class:`.Pool`."""
        self._ray.kill(self._actors[worker])

    def stop(self) -> None:
        """See :class:`.Pool`."""
        for worker in list(self._actors):
            self._end(worker)
        self._ray.shutdown()

    def about(self) -> dict[str, Any]:
        """See :class:`.Pool`."""
        return dict(address=self.address or LOCAL, workers=self.workers, threads=self.threads)

    def _connect(self, address: str | None) -> None:
        quiet: dict[str, Any] = dict(log_to_driver=False, logging_level=logging.ERROR)
        if address is None:
            local = dict(num_cpus=cores(), include_dashboard=False, object_store_memory=STORE_BYTES)
            # By name: otherwise RAY_ADDRESS would lead to a cluster that was not asked for.
            self._ray.init(address=LOCAL, **local, **quiet)
            return
        try:
            _knock(address)
            self._ray.init(address=address, **quiet)
        except (OSError, ValueError, RuntimeError) as error:
            told = f"{address} has no Ray that lets us in ({_root(error)})"
            raise InputError(f"{told}: see docs/scaling.md, or leave --address out") from error

    def _end(self, worker: int) -> None:
        actor = self._actors.pop(worker, None)
        if actor is not None:
            with contextlib.suppress(Exception):  # it may be gone, and the cluster with it
                self._ray.kill(actor)

    def _event(self, call: Any) -> Event:
        errors = self._ray.exceptions
        try:
            return self._ray.get(call)
        except errors.RayTaskError as error:  # what the worker itself found to be beyond it
            return Died(_last_line(error))
        except errors.RayError as error:
            gone = bool(getattr(error, "preempted", False)) or "node has died" in str(error).lower()
            return Died(GONE if gone else _cause(error), gone)


def import_ray() -> Any:
    """Ray, which is an optional package.

    Raises:
        InputError: If it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        told = f"ray cannot be imported ({_first_line(error)})"
        raise InputError(f'{told}: install it with pip install "tpsparse[cluster]"') from error
    return ray


def _cause(error: Exception) -> str:
    """What Ray says of the end of a process, in one line."""
    told = _last_line(error)
    return KILLED if "exit detail" in told and "low on memory" not in told else told


def _last_line(error: BaseException) -> str:
    """Of an error's text, without colours: Ray puts where it happened in front."""
    lines = [line.strip() for line in re.sub(r"\x1b\[\d*m", "", str(error)).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _knock(address: str) -> None:
    """See whether anything answers at HOST:PORT: Ray itself asks for minutes.

    Raises:
        OSError: If nothing does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def _root(error: BaseException) -> str:
    """What is at the bottom of an error, in one sentence."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_line(error).partition(". ")[0]


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")
