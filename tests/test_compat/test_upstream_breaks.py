"""Each mend is still needed: the installed upstream, left alone, breaks as the mend says.

A test that fails here names a mend that a newer upstream has made superfluous.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

# Without tpsparse: the answers of upstream to each of the breaks in tpsparse/compat/checkpoints.py.
SCRIPT = """
import inspect, json, os, pickle, sys, types, warnings
from pathlib import Path
import mmengine.utils
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    mmengine.utils.get_installed_path("torch")
import torch
from mmengine.config import ConfigDict
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint

def loads(value):
    torch.save(value, "value.pth")
    try:
        torch.load("value.pth")
    except pickle.UnpicklingError:
        return False
    return True

found = {"loads_history": loads(HistoryBuffer([1.0], [1])), "loads_config": loads(ConfigDict(a=1))}
found["downloads_safely"] = inspect.signature(checkpoint.load_url).parameters["weights_only"].default
Path("old").write_text("old")
try:
    LocalBackend().put("text is no bytes", "old")
except TypeError:
    pass
found["keeps_old_file"] = Path("old").read_text() == "old"

hook = CheckpointHook(max_keep_ckpts=1, save_best="acc", rule="greater")
events, last, work = [], Path("work/last_checkpoint"), Path("work")
work.mkdir()
runner = types.SimpleNamespace(work_dir="work", epoch=0, iter=0, logger=types.SimpleNamespace(info=print))
runner.message_hub = types.SimpleNamespace(
    runtime_info={}, update_info=lambda key, value: None, get_info=lambda key: 0.0)
def save(folder, filename, *args, **kwargs):
    events.append("write " + filename)
    Path(folder, filename).write_text("whole")
runner.save_checkpoint = save
hook.before_train(runner)
remove = hook.file_backend.remove
type(hook.file_backend).remove = lambda self, path: (events.append("remove " + os.path.basename(path)), remove(path))
for epoch in (0, 1):
    runner.epoch = epoch
    hook._save_checkpoint(runner)
found["events"] = events[:]
del events[:]
for epoch in (1, 2):
    runner.epoch = epoch
    hook.last_ckpt = None
    hook._save_best_checkpoint(runner, {"acc": epoch})
found["best_events"] = events
found["plain_open"] = "open(save_file, 'w')" in inspect.getsource(CheckpointHook)
found["warnings"] = [str(w.message) for w in caught]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def folder_of(package: str, *parts: str) -> str:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    return str(Path(spec.origin).parent.joinpath(*parts))


def test_mmcv_lacks_its_extension():
    assert PathFinder.find_spec("mmcv._ext", [folder_of("mmcv")]) is None


def test_mmaction_lacks_drn_and_imports_it():
    folder = folder_of("mmaction", "models", "localizers")
    assert PathFinder.find_spec("mmaction.models.localizers.drn", [folder]) is None
    assert "from .drn.drn import DRN" in Path(folder, "__init__.py").read_text()


def test_the_safe_loader_refuses_what_mmengine_stores(upstream):
    assert not upstream["loads_history"]
    assert not upstream["loads_config"]


def test_downloads_use_the_unsafe_loader(upstream):
    assert upstream["downloads_safely"] is False


def test_a_failed_write_destroys_the_old_file(upstream):
    assert not upstream["keeps_old_file"]


def test_the_hook_removes_before_it_writes(upstream):
    assert upstream["events"] == ["write epoch_1.pth", "remove epoch_1.pth", "write epoch_2.pth"]
    assert upstream["best_events"] == ["write best_acc_epoch_1.pth", "remove best_acc_epoch_1.pth"] + [
        "write best_acc_epoch_2.pth"
    ]
    assert upstream["plain_open"]


def test_mmengine_warns_of_pkg_resources(upstream):
    assert any("pkg_resources is deprecated as an API" in message for message in upstream["warnings"])


def test_mmaction_cannot_be_imported_beside_transformers():
    """Its multimodal models want timm, which transformers does not bring."""
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("timm") is not None:
        pytest.skip("transformers without timm is not what is installed")
    # The localizers' stand-in is needed to come as far as the multimodal models.
    code = "import sys, tpsparse; del sys.meta_path[0].mends['mmaction.utils.dependency']; import mmaction.models"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "No module named 'timm'" in done.stderr
