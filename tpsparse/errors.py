"""The one error that a user can cause: something given to tpsparse that cannot be used."""


class InputError(ValueError):
    """A file, list, config or checkpoint that cannot be used.

    The message is one line that names the file and the remedy. A tool prints it without a traceback; a run
    over many items skips the item, reports it and goes on.
    """
