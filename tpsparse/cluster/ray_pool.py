"""A pool of workers on Ray: the one module that knows it.

Each worker is an actor with one process. Ray restarts nothing by itself: what a worker had when it died is for the
driver to decide. Actors belong to the driver's job, so they end with it however it ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputError, first_line
from ..workers import cores
from .folder import Identity, Item
from .pool import Died, Event
from .shares import machines_of, share_out
from .work import Choices, Refused, System, Worker

STORE_BYTES = 80_000_000
"""Ray's shared memory of a local run; results go to files, so next to nothing is kept there."""
LOCAL, CLIENT = "local", "ray://"
KNOCK_SECONDS = 10.0
DEATH_SECONDS = 1.0
"""A cluster's workers are seen to end a moment before its head, which is asked that much later."""
WATCH_SECONDS, MOST_SILENT = 10.0, 3
"""The cluster is asked that often whether it is there, and given up after so many times without an answer. Ray gives up
after 60 s, and then ends the driver's process outright."""

KILLED = "its process was killed or crashed: by the system for want of memory (see dmesg), a user, or a library's fault"
GONE = "its machine is gone"
AUTH_MODE = "RAY_AUTH_MODE"
NO_TOKEN = f"Set {AUTH_MODE}=disabled if this Ray asks for no token"

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
        if address is not None:
            _use_token()
        self._ray = import_ray()
        self.address = address
        self._connect(address)
        self._home = self._address_of_home()
        self._share = share_out(machines_of(self._ray.nodes()), workers)
        self.workers = self._share.workers
        share = dict(num_cpus=self._share.cpus, num_gpus=self._share.gpus)
        self._actor = self._ray.remote(max_restarts=0, max_task_retries=0, **share)(Worker)
        self._given = dict(threads=self._share.threads, cwd=os.getcwd())
        self._make, self._out, self._choices = make, out, choices
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, int] = {}
        self._asked, self._silent = time.monotonic(), 0
        self._deaths: list[tuple[float, int, Died]] = []

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
        try:
            events = self._events(min(seconds, DEATH_SECONDS) if self._deaths else seconds)
        except ConnectionError as error:  # of Ray's client, whose server is gone
            raise self._lost() from error
        self._watch()
        now = time.monotonic()
        self._deaths += [(now, worker, event) for worker, event in events if isinstance(event, Died)]
        return [*(each for each in events if not isinstance(each[1], Died)), *self._sure_deaths(now)]

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
        return dict(address=self.address or LOCAL, **self._share._asdict())

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
            remedy = "set RAY_AUTH_MODE=token and its RAY_AUTH_TOKEN if it asks for one (docs/scaling.md)"
            raise InputError(f"{told}: {remedy}, or leave --address out") from error

    def _address_of_home(self) -> str:
        """Where the cluster answers as long as it is there."""
        if self.address is not None and self.address.startswith(CLIENT):
            return self.address
        return str(self._ray.get_runtime_context().gcs_address)

    def _events(self, seconds: float) -> list[tuple[int, Event]]:
        calls = list(self._calls)
        if not calls:  # all have died
            time.sleep(seconds)
            return []
        done, _ = self._ray.wait(calls, num_returns=1, timeout=seconds)
        if done:  # and what else has ended in the same moment
            done, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        return [(self._calls.pop(call), self._event(call)) for call in done]

    def _sure_deaths(self, now: float) -> list[tuple[int, Event]]:
        """Those of workers, not of the cluster, which is asked when they are some moments old."""
        old = [death for death in self._deaths if now - death[0] >= DEATH_SECONDS]
        if not old:
            return []
        self._deaths = [death for death in self._deaths if death not in old]
        if self._answers():
            return [(worker, died) for _, worker, died in old]
        return [(old[0][1], Refused(str(self._lost())))]

    def _watch(self) -> None:
        """See now and then that the cluster is there: its workers may go on without it for a while.

        Raises:
            InputError: If it has not answered for some time.
        """
        if time.monotonic() - self._asked < WATCH_SECONDS:
            return
        self._silent = 0 if self._answers() else self._silent + 1
        if self._silent >= MOST_SILENT:
            raise self._lost()

    def _answers(self) -> bool:
        self._asked = time.monotonic()
        try:
            _knock(self._home)
        except OSError:
            return False
        return True

    def _lost(self) -> InputError:
        whose = f"the Ray at {self.address}" if self.address else "the Ray of this run"
        return InputError(f"{whose} is gone, and its workers with it: run the same command again when it is back")

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
            # The owner is this process, which is taken for dead when its own machine's Ray is.
            if "owner has died" in str(error):
                return Refused(str(self._lost()))
            gone = bool(getattr(error, "preempted", False)) or "node has died" in str(error).lower()
            cause = GONE if gone else _cause(error)
            if "never ran" in cause and os.environ.get(AUTH_MODE) == "token":  # what a Ray does that asks for none
                cause = f"{cause} {NO_TOKEN}"
            return Died(cause, gone)


def _use_token() -> None:
    """Show the token that this user has, if any: ``ray start --head`` asks for it wherever there is one.

    Before Ray is imported, which reads the environment once. What is said there already stays.
    """
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if named or Path("~/.ray/auth_token").expanduser().is_file():
        os.environ.setdefault(AUTH_MODE, "token")


def import_ray() -> Any:
    """Ray, which is an optional package.

    Raises:
        InputError: If it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        told = f"ray cannot be imported ({first_line(error)})"
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
    host, colon, port = address.removeprefix(CLIENT).rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def _root(error: BaseException) -> str:
    """What is at the bottom of an error, in one sentence."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error).partition(". ")[0]
