"""Mends that wait: nothing upstream is imported before somebody asks for it.

Two kinds, both done by a finder of Python's import system (importlib, "The import system", 5.3 Finders and loaders):

* a stand-in is used for a module only when no other finder has it, so that a real one always wins;
* a mend is called once with an upstream module right after that module has been imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

Mend = Callable[[ModuleType], None]


class StandInFinder(MetaPathFinder):
    """Finds a module of ours for a name that upstream lacks. Belongs at the end of ``sys.meta_path``.

    Args:
        files: Module name to the Python file that stands in for it; None stands for an empty package.
    """

    def __init__(self, files: Mapping[str, Path | None]) -> None:
        self.files = dict(files)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.files:
            return None
        file = self.files[fullname]
        if file is None:
            return ModuleSpec(fullname, None, is_package=True)
        return spec_from_file_location(fullname, file)


class MendingFinder(MetaPathFinder):
    """Calls a mend after the import of an upstream module. Belongs at the start of ``sys.meta_path``.

    Args:
        mends: Upstream module name to the mend that is called with the imported module.
    """

    def __init__(self, mends: Mapping[str, Mend]) -> None:
        self.mends = dict(mends)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.mends:
            return None
        # The other finders are asked in turn, since an editable install brings a finder of its own.
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find and find(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _MendingLoader(spec.loader, self.mends[fullname])
                return spec
        return None


class _MendingLoader(Loader):
    """The upstream loader, followed by a mend."""

    def __init__(self, upstream: Loader, mend: Mend) -> None:
        self.upstream = upstream
        self.mend = mend

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.upstream.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # inspect and importlib.resources expect the loader that knows the source.
        module.__loader__ = self.upstream
        if module.__spec__ is not None:
            module.__spec__.loader = self.upstream
        self.upstream.exec_module(module)
        self.mend(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.upstream, name)
