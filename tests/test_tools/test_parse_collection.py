"""tools/parse_collection.py, with the quick system's random weights; what it stands on is in tests/test_cluster."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile

import numpy as np
import pytest

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install -r requirements/cluster.txt"
)


@pytest.fixture
def listed(tiny_root, tmp_path):
    """A list of a good video with a long name, the same again, one that is broken and one that is not there."""
    folder = tmp_path / "clips"
    folder.mkdir()
    name = ("he said \"it's a 'video'\" (ü) " * 10)[:150] + ".mp4"
    shutil.copy(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4", folder / name)
    (folder / "empty.mp4").touch()
    path = tmp_path / "videos.txt"
    path.write_text(f"# all that there is\nclips/{name}\n\nclips/empty.mp4\nclips/../clips/{name}\nclips/absent.mp4\n")
    return path


@needs_ray
def test_collection(run_tool, listed, drawn, quick_work_dir, tmp_path, monkeypatch, capfd):
    from tpsparse.structures import VideoParse

    sockets = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    monkeypatch.setenv("RAY_TMPDIR", sockets)
    out, options = tmp_path / "out", ("--work-dir", quick_work_dir, "--every", 6)
    status = run_tool(
        "parse_collection", drawn.QUICK_SYSTEM, listed, "--out", out, "--workers", 1, "--json", "--features", *options
    )
    shutil.rmtree(sockets, ignore_errors=True)
    told = capfd.readouterr()
    assert status == 3 and f"{out / 'summary.json'}: 1 of 3 videos" in told.out
    assert "empty.mp4 is empty" in told.err and "absent.mp4 is missing" in told.err
    summary = json.loads((out / "summary.json").read_text())
    counts = {name: summary[name] for name in ("inputs", "parsed", "failed", "missing", "duplicates", "left")}
    assert counts == dict(inputs=4, parsed=1, failed=1, missing=1, duplicates=1, left=0)
    assert [failure["line"] for failure in summary["failures"]] == [4, 6]
    assert summary["system"]["config"] == str(drawn.QUICK_SYSTEM) and "torch" in summary["versions"]
    # The same as of the tool for single videos.
    [good] = [path for path in (tmp_path / "clips").iterdir() if path.stat().st_size]
    assert run_tool("parse_video", drawn.QUICK_SYSTEM, good, "--out", tmp_path / "one", "--record", *options) == 0
    [record], [export] = out.glob("results/*/*.safetensors"), out.glob("results/*/*.json")
    ours, theirs = VideoParse.load(record), VideoParse.load(tmp_path / "one" / good.stem / "record.safetensors")
    assert ours.video == good.stem and ours._arrays().keys() == theirs._arrays().keys()
    for name, array in ours._arrays().items():
        np.testing.assert_array_equal(array, theirs._arrays()[name], err_msg=name)
    assert json.loads(export.read_text()) == json.loads((tmp_path / "one" / good.stem / "parse.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["absent.txt"], "absent.txt is missing: give a list of videos, a path a line, or a folder of them"),
        (["empty.txt"], "empty.txt names no video: write a path a line"),
        (["one.txt", "--address", "127.0.0.1:1"], "127.0.0.1:1 has no Ray that lets us in"),
    ],
)
@needs_ray
def test_what_cannot_be_begun(run_tool, drawn, tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("# none\n")
    (tmp_path / "one.txt").write_text("a.mp4\n")
    assert run_tool("parse_collection", drawn.QUICK_SYSTEM, *arguments, "--out", tmp_path / "out") == 2
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_without_ray(run_tool, drawn, listed, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    assert run_tool("parse_collection", drawn.QUICK_SYSTEM, listed, "--out", tmp_path / "out") == 2
    assert 'install it with pip install "tpsparse[cluster]"' in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--workers", "--every", "--time-limit"])
def test_numbers_must_be_positive(run_tool, drawn, listed, tmp_path, capsys, option):
    with pytest.raises(SystemExit) as ended:
        run_tool("parse_collection", drawn.QUICK_SYSTEM, listed, "--out", tmp_path / "out", option, 0)
    assert ended.value.code == 2 and f"{option}: 0 is not a whole number above 0" in capsys.readouterr().err
