"""The optional packages of exporting and of the engines."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

from ...errors import InputError

EXTRA = 'pip install "tpsparse[export]"'


def needed(package: str, wanted_by: str) -> ModuleType:
    """An optional package.

    Raises:
        InputError: If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(f"{wanted_by} needs the package {package} ({error}): {EXTRA}") from error


def versions(*packages: str) -> dict[str, str]:
    """Of the packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
