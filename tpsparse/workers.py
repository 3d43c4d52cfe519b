"""Work on many items in several processes: one that crashes costs its item, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Crashed:
    """What comes of an item that has ended the process that worked on it, as a library does that is given bad data."""


def run_pooled(
    work: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, Result | Crashed]]:
    """Each item with what came of it, in the order in which they end.

    Args:
        work: A function of a module; what it raises ends the whole.
        items: What it is given, one at a time; they and the results are pickled.
        workers: Processes; with one the work is done in this process, where a crash ends it.
    """
    if workers <= 1 or not items:
        yield from ((item, work(item)) for item in items)
        return
    left = dict(enumerate(items))
    try:
        for position, result in _pooled(work, left, workers):
            yield left.pop(position), result
    except BrokenProcessPool:  # one of those at work has crashed: each gets a process of its own
        for item in left.values():
            yield item, run_alone(work, item)


def run_alone(work: Callable[[Item], Result], item: Item) -> Result | Crashed:
    """What comes of one item in a process of its own."""
    try:
        [(_, result)] = _pooled(work, {0: item}, 1)
    except BrokenProcessPool:
        return Crashed()
    return result


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with(parent: int) -> None:
    """End this process when ``parent`` is gone: an orphan would hold memory, or write where the next run does."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _pooled(work: Callable[[Item], Result], items: Mapping[int, Item], workers: int) -> Iterator[tuple[int, Result]]:
    # A fresh interpreter for each worker: forking a process with running threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(items)), context, _enter, (os.getpid(),)) as pool:
        futures = {pool.submit(work, item): position for position, item in items.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _enter(parent: int) -> None:
    """The workers share the cores already: OpenCV's own threads would only contend."""
    import cv2

    end_with(parent)
    cv2.setNumThreads(1)
