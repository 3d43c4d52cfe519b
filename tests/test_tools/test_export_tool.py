from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path

import pytest
from tiny import QUICK, QUICK_SYSTEM, quick_config

from tpsparse.cli import DONE, FAILED

for package in ("onnx", "onnxscript", "onnxruntime", "openvino"):
    pytest.importorskip(package)

FUSION = quick_config("feature_fusion")


@pytest.fixture
def work_dir(quick_work_dir, tmp_path):
    """Weights of the quick system, in a folder of their own, since files are written beside them."""
    return Path(shutil.copytree(quick_work_dir, tmp_path / "work (ü)"))


def printed(capsys):
    """Lines of the output but those of the log."""
    return [line for line in capsys.readouterr().out.splitlines() if " - mmengine - " not in line]


def graphs_in(folder):
    return json.loads((folder / "graphs.json").read_text())


def test_one_network_beside_its_checkpoint(run_tool, work_dir, capsys):
    run_of = work_dir / FUSION.stem
    for _ in range(2):  # the second time there is nothing to do
        assert run_tool("export", FUSION, run_of, "--backend", "onnx") == DONE
    [folder] = (run_of / "epoch_1.pth.onnx").iterdir()
    assert printed(capsys) == [str(folder)] * 2
    assert graphs_in(folder)["backend"] == "onnx" and (folder / "logits.onnx").is_file()
    # The file itself, and the default, which is the folder of the run.
    for arguments in ([run_of / "epoch_1.pth"], ["--work-dir", run_of]):
        assert run_tool("export", FUSION, *arguments, "--backend", "onnx") == DONE
        assert printed(capsys) == [str(folder)]


def test_one_network_to_a_folder(run_tool, work_dir, tmp_path, capsys):
    out = tmp_path / "out"
    for _ in range(2):
        assert run_tool("export", FUSION, work_dir / FUSION.stem, "--backend", "openvino", "--out", out) == DONE
    assert [path.name for path in out.iterdir()] == [FUSION.stem]
    assert {path.name for path in (out / FUSION.stem).iterdir()} == {"graphs.json", "logits.xml", "logits.bin"}
    assert graphs_in(out / FUSION.stem)["network"] == "MultiModalFusion"
    assert not (work_dir / FUSION.stem / "epoch_1.pth.openvino").exists()
    assert printed(capsys) == [str(out / FUSION.stem)] * 2


def test_one_run_at_a_time_in_a_folder(run_tool, work_dir, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ("export", FUSION, work_dir / FUSION.stem, "--backend", "onnx", "--out", out)
    assert run_tool(*arguments) == DONE
    whole = (out / FUSION.stem / "logits.onnx").read_bytes()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_tool(*arguments) == FAILED
    assert "out is used by another run: wait until that has ended, or give another --out" in capsys.readouterr().err
    assert (out / FUSION.stem / "logits.onnx").read_bytes() == whole
    # What killed runs have left goes with the next.
    for left in ("partial", "earlier"):
        (out / f".{FUSION.stem}.{left}").mkdir()
    assert run_tool(*arguments) == DONE
    assert [path.name for path in out.iterdir()] == [FUSION.stem]


def test_a_system(run_tool, work_dir, tmp_path, capsys):
    # The recognizer twice, as two stages may have it; the rules have no network.
    config = tmp_path / "system.py"
    stages = "[_base_.stages.swin, dict(_base_.stages.swin, name='again'), _base_.stages.fusion]"
    config.write_text(f"_base_ = {str(QUICK_SYSTEM)!r}\nmodel = dict(stages={stages})\n")
    out = tmp_path / "out"
    assert run_tool("export", config, "--work-dir", work_dir, "--backend", "onnx", "--out", out) == DONE
    names = {quick_config(task).stem for task in ("action_recognition", "feature_fusion")}
    assert {path.name for path in out.iterdir()} == names
    assert set(printed(capsys)) == {str(out / name) for name in names}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([QUICK_SYSTEM, "some.pth"], "is of a system, whose config names its checkpoints: leave some.pth out"),
        ([QUICK / "systems" / "most_frequent.py"], "has no stage with a network: there is nothing to export"),
        ([FUSION, "nowhere.pth"], "checkpoint nowhere.pth is missing: train it with"),
        (["nothing.py"], "config nothing.py is missing"),
    ],
    ids=["system and checkpoint", "rules alone", "no checkpoint", "no config"],
)
def test_refused(run_tool, capsys, arguments, told):
    assert run_tool("export", *arguments, "--backend", "onnx") == FAILED
    assert told in capsys.readouterr().err


def test_weights_without_names(run_tool, tmp_path, capsys):
    import torch

    torch.save({"state_dict": {}}, tmp_path / "bare.pth")
    assert run_tool("export", FUSION, tmp_path / "bare.pth", "--backend", "onnx") == FAILED
    assert "bare.pth does not know its labels: give a checkpoint written by tools/train.py" in capsys.readouterr().err
