from __future__ import annotations

import importlib
import importlib.util
import inspect
import subprocess
import sys

import pytest

from tpsparse.compat import apply_mends
from tpsparse.compat.imports import MendingFinder, StandInFinder


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path with one module, ``upstream_package.whole``."""
    folder = tmp_path / "upstream_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "whole.py").write_text("value = 1\n\ndef double():\n    return 2 * value\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("upstream_package")]:
        del sys.modules[name]


def test_a_stand_in_is_used_where_nothing_is(package, tmp_path):
    (tmp_path / "ours.py").write_text("value = 5\n")
    files = {"upstream_package.absent": None, "upstream_package.absent.part": tmp_path / "ours.py"}
    sys.meta_path.append(StandInFinder(files))
    part = importlib.import_module("upstream_package.absent.part")
    assert part.value == 5
    assert part.__spec__.name == part.__name__ == "upstream_package.absent.part"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("upstream_package.other")


def test_a_stand_in_steps_aside(package, tmp_path):
    (tmp_path / "ours.py").write_text("value = 5\n")
    sys.meta_path.append(StandInFinder({"upstream_package.whole": tmp_path / "ours.py"}))
    assert importlib.import_module("upstream_package.whole").value == 1


def test_a_mend_is_called_once_after_the_import(package):
    seen = []
    sys.meta_path.insert(0, MendingFinder({"upstream_package.whole": lambda module: seen.append(module.value)}))
    assert importlib.util.find_spec("upstream_package.whole") is not None
    assert seen == []
    whole = importlib.import_module("upstream_package.whole")
    importlib.import_module("upstream_package.whole")
    assert seen == [1]
    assert "return 2 * value" in inspect.getsource(whole.double)
    assert type(whole.__loader__).__name__ == type(whole.__spec__.loader).__name__ == "SourceFileLoader"


def test_a_mend_of_an_absent_module_changes_nothing(package):
    sys.meta_path.insert(0, MendingFinder({"upstream_package.gone": print}))
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("upstream_package.gone")


def test_apply_mends_twice_changes_nothing():
    before = list(sys.meta_path)
    apply_mends()
    assert sys.meta_path == before
    assert sum(isinstance(finder, StandInFinder) for finder in before) == 1


HEAVY = ("torch", "torchvision", "mmengine", "mmcv", "mmdet", "mmpose", "mmaction", "numpy")


def test_importing_tpsparse_imports_nothing_upstream():
    script = (
        f"import sys, tpsparse; print([name for name in {HEAVY} if name in sys.modules])\n"
        "import mmengine; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]


@pytest.mark.parametrize(
    "order", ["torch, tpsparse, mmengine", "mmengine, tpsparse, torch", "tpsparse, mmengine, torch"]
)
def test_stored_types_are_allowed_in_any_order(order):
    script = (
        f"import {order}\n"
        "from mmengine.config import ConfigDict\n"
        "from mmengine.logging import HistoryBuffer\n"
        "allowed = torch.serialization.get_safe_globals()\n"
        "assert ConfigDict in allowed and HistoryBuffer in allowed and getattr not in allowed\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_mends_reach_modules_imported_before_and_are_quiet():
    script = (
        "from mmengine.fileio import LocalBackend\n"
        "before = LocalBackend.put\n"
        "import tpsparse\n"
        "assert LocalBackend.put is not before\n"
        "import mmengine.hooks\n"
        "assert mmengine.hooks.checkpoint_hook.open.func.__name__ == 'open_whole'\n"
        "from mmengine.utils import get_installed_path\n"
        "get_installed_path('torch')\n"
    )
    command = [sys.executable, "-W", "default::UserWarning", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pkg_resources" not in done.stderr
