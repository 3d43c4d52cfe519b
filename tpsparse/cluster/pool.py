"""What a driver asks of a pool of workers, and what it is told by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from .folder import Identity, Item
from .work import Outcome, Ready, Refused


@dataclass(frozen=True)
class Died:
    """The end of a worker: what is known of its cause, and whether its machine went with it."""

    error: str
    with_machine: bool = False


Event = Ready | Refused | Outcome | Died


class Pool(Protocol):
    """Workers by number, each with one thing to do at a time; one that has died is started anew by the driver alone."""

    workers: int

    def start(self, worker: int) -> None:
        """Begin to load the networks of a worker; :class:`Ready`, :class:`Refused` or :class:`Died` follows."""

    def submit(self, worker: int, item: Item, identity: Identity) -> None:
        """Give a video to a worker; :class:`Outcome`, :class:`Refused` or :class:`Died` follows."""

    def wait(self, seconds: float) -> list[tuple[int, Event]]:
        """What has happened by then, by worker; it returns as soon as anything has."""

    def kill(self, worker: int) -> None:
        """End a worker that takes too long; :class:`Died` follows."""

    def stop(self) -> None:
        """End all workers."""

    def about(self) -> dict[str, Any]:
        """What the summary says of the pool."""
