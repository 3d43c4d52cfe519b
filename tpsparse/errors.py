"""The one error that a user can cause: something given to tpsparse that cannot be used."""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk, a quota or a limit that is used up."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    # The text of a KeyError is quoted.
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class InputError(ValueError):
    """A file, list, config or checkpoint that cannot be used.

    The message is one line that names the file and the remedy. A tool prints it without a traceback; a run
    over many items skips the item, reports it and goes on.
    """


class UnwritableError(OSError, InputError):
    """A file that cannot be written, as on a full disk.

    No item is at fault: it ends a run that would skip a broken one. It is an :class:`OSError` too, with ``errno``,
    ``strerror`` and ``filename``, for code that knows only those, and is made like one.
    """

    def __str__(self) -> str:
        return self.told("see that it can be, or write elsewhere")

    def told(self, otherwise: str) -> str:
        """The message, with the remedy for all that is not a want of room."""
        remedy = "make room there" if self.errno in FULL else otherwise
        return f"{self.filename} cannot be written ({self.strerror}): {remedy}"
