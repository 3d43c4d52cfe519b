"""Work for processes of their own, in a module that is quick to import."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tpsparse.errors import InputError


def count_up(task: int) -> Iterator[int]:
    """Yield the numbers below the task; misbehave for some tasks."""
    if task == -1:
        raise InputError("some.mp4 is broken: replace it")
    if task == -2:
        raise FileNotFoundError(2, "No such file or directory", "gone.mp4")
    if task == -3:
        yield 1
        os.write(2, b"the library says why\n")
        os._exit(7)
    if task == -4:
        yield {}["nothing"]
    if task == -5:
        yield os.getpid()
        time.sleep(60)
    if task == 100:
        time.sleep(60)
    yield from range(task)
