"""Mends for the checkpoints of mmengine 0.10.7: read by the safe loader only, written whole or not at all."""

from __future__ import annotations

import os
import pickle
import re
import stat
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from ..errors import FULL, InputError, UnwritableError

HISTORY = "mmengine.logging.history_buffer"
CONFIG = "mmengine.config.config"
NUMBER_TYPES = "?bhilqBHILQefd"
STATISTICS = ("min", "max", "mean", "current")
# How torch's safe loader names what it refuses to find, to call or to build.
REFUSED = re.compile(r"(?:GLOBAL|function <function|function <class|got <class) '?([\w.]+)")
CHECKPOINT_SUFFIX = ".pth"
TO_BE_REMOVED = "checkpoints_to_be_removed"
"""Where a checkpoint names those that are removed when it has been written."""


def allow_stored_types(module: ModuleType) -> None:
    """Let the safe loader read what mmengine puts into a checkpoint.

    Breaks: since torch 2.6 ``torch.load`` reads weights only by default, and mmengine 0.10.7, which does not pass the
    argument, cannot resume from its own files: they hold HistoryBuffer, its methods (as calls of ``getattr``), NumPy
    numbers, and ConfigDict where a dataset's ``metainfo`` is nested.
    Detected: always done; a type that was allowed before stays allowed.
    Put in its place: exactly these types on torch's list of allowed ones, and for ``getattr`` a function that gives
    HistoryBuffer's own statistics and nothing else. None of them runs code of the file: a ConfigDict builds objects
    only from mmengine's LazyObject, which stays refused. The loader itself stays safe: switching it off would let a
    downloaded checkpoint do anything.

    Args:
        module: torch, ``mmengine.logging.history_buffer`` or ``mmengine.config.config``. mmengine imports without
            torch, and must not wait for it here, so that each calls this and the last one finds all.
    """
    if "torch" not in sys.modules:
        return
    from torch.serialization import add_safe_globals

    # A module that is still being imported lacks its class, and calls this again when it is done.
    history = getattr(sys.modules.get(HISTORY), "HistoryBuffer", None)
    config = getattr(sys.modules.get(CONFIG), "ConfigDict", None)
    if history is not None:
        add_safe_globals([history, (_statistic, "builtins.getattr"), *_number_types()])
    if config is not None:
        add_safe_globals([config])


def _number_types() -> list[Any]:
    """What NumPy numbers and arrays of numbers are rebuilt from."""
    import numpy as np

    rebuild_array = np.zeros(0).__reduce__()[0]
    rebuild_number = np.float64(0).__reduce__()[0]
    # NumPy 2 moved both, and a file may come from either version.
    moved = [
        (function, f"{package}.multiarray.{name}")
        for package in ("numpy.core", "numpy._core")
        for function, name in ((rebuild_array, "_reconstruct"), (rebuild_number, "scalar"))
    ]
    return [np.ndarray, np.dtype, *(type(np.dtype(code)) for code in NUMBER_TYPES), *moved]


def _statistic(owner: Any, name: str) -> Callable[..., Any]:
    """Stand in for ``getattr``, whose real self would hand out the inside of any object."""
    if owner is not sys.modules[HISTORY].HistoryBuffer or name not in STATISTICS:
        raise pickle.UnpicklingError(f"GLOBAL builtins.getattr of {name!r} is not allowed")
    return getattr(owner, name)


def load_safely(module: ModuleType) -> None:
    """Read every checkpoint by the safe loader, and say in one line why one cannot be used.

    Breaks: ``load_url``, by which mmengine reads ``https://`` and ``torchvision://`` checkpoints, is torch's
    ``load_state_dict_from_url``, whose default is the unsafe loader (still so in torch 2.14). The errors of the safe
    loader do not name the file and advise to switch it off.
    ``Runner.resume`` runs the text of the config that a checkpoint carries as Python, to look up a number of GPUs.
    Detected: always done.
    Put in its place: ``load_url`` with the safe loader, and :class:`InputError` from ``CheckpointLoader``, the one
    way to every scheme, which also leaves the text of the config out; the work folder has it as a file.

    Args:
        module: ``mmengine.runner.checkpoint``.
    """
    module.load_url = partial(module.load_url, weights_only=True)  # type: ignore[attr-defined]
    loader = module.CheckpointLoader
    upstream = loader.load_checkpoint.__func__

    @wraps(upstream)
    def load_checkpoint(cls: type, filename: str, map_location: Any = None, logger: Any = "current") -> Any:
        try:
            return _without_code(upstream(cls, filename, map_location, logger))
        except FileNotFoundError as error:
            raise InputError(f"checkpoint {filename} was not found: check the path") from error
        except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
            problem = _describe(error)
            if problem is None:
                raise
            raise InputError(f"checkpoint {filename} {problem}") from error

    loader.load_checkpoint = classmethod(load_checkpoint)


def _without_code(checkpoint: Any) -> Any:
    """The checkpoint without the text of its config, which nothing but ``Runner.resume`` reads."""
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("meta"), dict):
        checkpoint["meta"].pop("config", None)
    return checkpoint


def _describe(error: Exception) -> str | None:
    """What is wrong with the file, or None if the error is not the file's fault."""
    refused = REFUSED.search(str(error))
    if refused:
        return (
            f"was refused: it asks for {refused[1]}, which is neither weights nor a type that mmengine stores and "
            "could run code; save it again with weights and numbers only, or use another one"
        )
    if isinstance(error, RuntimeError) and "PytorchStreamReader" not in str(error):
        return None
    return "is not a whole checkpoint: copy or download it again"


def write_whole(module: ModuleType) -> None:
    """Write files of mmengine's local backend whole or not at all.

    Breaks: ``LocalBackend.put`` opens the final path, so a run that is killed while it saves leaves half a checkpoint
    under a name that looks whole (all versions of mmengine).
    Detected: always done.
    Put in its place: a write under a temporary name in the same folder, then ``os.replace``.

    Args:
        module: ``mmengine.fileio.backends.local_backend``.
    """
    backend = module.LocalBackend

    @wraps(backend.put)
    def put(self: Any, obj: bytes, filepath: str | Path) -> None:
        os.makedirs(os.path.dirname(filepath) or ".", exist_ok=True)
        # The backend also writes frames, thousands of them: only a checkpoint is worth the wait for the disk.
        durable = os.fspath(filepath).endswith(CHECKPOINT_SUFFIX)
        with open_whole(filepath, "wb", durable=durable) as file:
            file.write(obj)

    @wraps(backend.put_text)
    def put_text(self: Any, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        os.makedirs(os.path.dirname(filepath) or ".", exist_ok=True)
        with open_whole(filepath, "w", encoding=encoding) as file:
            file.write(obj)

    backend.put = put
    backend.put_text = put_text


@contextmanager
def open_whole(path: str | Path, mode: str, *, encoding: str | None = None, durable: bool = False) -> Iterator[IO[Any]]:
    """Open a file for writing so that ``path`` changes only when the block ends without an error.

    A process that is killed outright leaves its temporary file, whose name ends in ``.tmp``.

    Args:
        path: Where the file shall be. A link is followed; a device or pipe is written to directly.
        mode: ``"w"`` or ``"wb"``.
        encoding: Of text.
        durable: Whether to wait until the content is on the disk before the name points to it, so that a power cut
            cannot leave an empty file either.

    Yields:
        The open file.

    Raises:
        UnwritableError: If there is no room left.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        with open(target, mode, encoding=encoding) as file:
            yield file
        return
    part = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with open(part, mode, encoding=encoding) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException as error:
        if os.path.exists(part):
            os.remove(part)
        if isinstance(error, OSError) and error.errno in FULL:
            raise UnwritableError(error.errno, error.strerror, target) from error
        raise


def remove_late(module: ModuleType) -> None:
    """Have CheckpointHook remove old checkpoints after it has written the new one, and not before.

    Breaks: with ``max_keep_ckpts=1``, ``_save_checkpoint_with_step`` removes the only checkpoint, which
    ``last_checkpoint`` names, and then starts to write; ``_save_best_checkpoint`` removes the best one first. A run
    killed between the two has lost it, and the saved best score keeps a resumed run from ever writing another one.
    ``last_checkpoint`` itself is emptied before it is written (all versions of mmengine up to 0.10.7).
    Detected: always done.
    Put in its place: both methods with a backend that puts removals off until the method has returned, and
    :func:`open_whole` in place of the module's ``open``, which has the one use of writing ``last_checkpoint``. What is
    to be removed stands in the new checkpoint, so that a run that goes on from it removes what a killed one has not.

    Args:
        module: ``mmengine.hooks.checkpoint_hook``.
    """
    module.open = partial(open_whole, durable=True)  # type: ignore[attr-defined]
    hook = module.CheckpointHook
    for name in ("_save_checkpoint_with_step", "_save_best_checkpoint"):
        setattr(hook, name, _removing_late(getattr(hook, name)))
    hook.before_train = _removing_what_is_left(hook.before_train, module.is_main_process)


def _removing_late(method: Callable[..., None]) -> Callable[..., None]:
    """The hook's method, with what it removes removed at its end."""

    @wraps(method)
    def run(hook: Any, runner: Any, *args: Any, **kwargs: Any) -> None:
        backend = hook.file_backend
        hook.file_backend = late = _LateRemoval(backend, runner.message_hub)
        try:
            method(hook, runner, *args, **kwargs)
        finally:
            hook.file_backend = backend
        in_use = {
            hook.last_ckpt,
            getattr(hook, "best_ckpt_path", None),
            *getattr(hook, "best_ckpt_path_dict", {}).values(),
        }
        for remove, path in late.removals:
            # A path may have been written anew under the same name.
            if path not in in_use:
                remove(path)

    return run


def _removing_what_is_left(method: Callable[..., None], is_main_process: Callable[[], bool]) -> Callable[..., None]:
    """The hook's method, which then removes what the run that this one goes on from was killed before removing."""

    @wraps(method)
    def run(hook: Any, runner: Any) -> None:
        method(hook, runner)
        for name in runner.message_hub.runtime_info.get(TO_BE_REMOVED, ()) if is_main_process() else ():
            path = hook.file_backend.join_path(hook.out_dir, name)  # of a folder that may have been moved since
            if hook.file_backend.isfile(path):
                hook.file_backend.remove(path)

    return run


class _LateRemoval:
    """A file backend that notes what shall be removed, also in what is saved next, and does everything else."""

    def __init__(self, backend: Any, message_hub: Any) -> None:
        self.backend, self.message_hub = backend, message_hub
        self.removals: list[tuple[Callable[[str], None], str]] = []
        message_hub.update_info(TO_BE_REMOVED, [])

    def remove(self, filepath: str) -> None:
        self._note(self.backend.remove, filepath)

    def rmtree(self, dir_path: str) -> None:
        self._note(self.backend.rmtree, dir_path)

    def _note(self, remove: Callable[[str], None], path: str) -> None:
        self.removals.append((remove, path))
        self.message_hub.update_info(TO_BE_REMOVED, [os.path.basename(path) for _, path in self.removals])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)
