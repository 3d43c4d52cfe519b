from __future__ import annotations

import json
import os

import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def index_build(benchmark):
    return benchmark("index_build")


@pytest.fixture
def tree(benchmark, tmp_path):
    """A tree that a test may change; 3 videos, 300 frames."""
    root = tmp_path / "tree"
    benchmark("tree").make_tree(root, videos=3, frames=12, workers=1, progress=False)
    return root


def test_quick_run(index_build, small_data, tmp_path, capsys):
    file = tmp_path / "out.json"
    assert run(index_build.main, ["--quick", "--data", str(small_data), "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    files = {row["run"]: row["files"] for row in written["tables"]["Runs"]}
    assert files["index"] == files["json.load"] == 80 and files["index, tree doubled"] == 160
    read = {name: done[0]["output"] for name, done in written["runs"].items()}
    assert read["json.load"] == "80" and read["json.load, tree doubled"] == "160"
    assert all(row["seconds"] > 0 for row in written["tables"]["Runs"])
    # The naive road is over here before its memory was looked at once.
    assert all(row["peak MB"] > 1 for row in written["tables"]["Runs"] if row["run"].startswith("index"))
    assert "files/s with 2 workers" in capsys.readouterr().out


def test_an_index_that_lacks_rows_is_no_measurement(index_build, tree):
    manifest = json.loads((tree / "tree.json").read_text())
    manifest["counts"]["persons"] += 1
    (tree / "tree.json").write_text(json.dumps(manifest))
    with pytest.raises(RuntimeError, match=f"does not have {manifest['counts']['persons']} persons"):
        index_build.build(tree)


def age(root) -> list:
    """Give all annotations a time long ago, so that a change shows."""
    paths = sorted((root / "train_annotations").glob("*/*/*.json"))
    for path in paths:
        os.utime(path, (1e9, 1e9))
    return paths


def test_changing_a_share_of_the_files(index_build, tree):
    paths = age(tree)
    before = [path.read_bytes() for path in paths]
    index_build.change_files(tree, 0.25)
    changed = [path for path in paths if path.stat().st_mtime > 1e9]
    assert len(changed) == 3 and {paths[0], paths[-1]} <= set(changed)
    assert [path.read_bytes() for path in paths] == before


def test_changing_a_share_of_the_videos_changes_at_least_one_wholly(index_build, tree):
    paths = age(tree)
    index_build.change_videos(tree, 0.01)
    changed = [path for path in paths if path.stat().st_mtime > 1e9]
    assert len(changed) == 4 and len({path.parent for path in changed}) == 1


def test_rows_and_limits_by_hand(index_build, benchmark):
    done = benchmark("measure").Run
    runs = {
        index_build.BUILT: [done(10, 16, 300_000_000, ""), done(20, 16, 200_000_000, ""), done(40, 20, 1, "")],
        index_build.NAIVE: [done(5, 5, 1, "")] * 3,
        index_build.TWICE: [done(20, 32, 1, ""), done(50, 40, 1, ""), done(70, 40, 1, "")],
        index_build.TWICE_NAIVE: [done(10, 10, 1, "")] * 3,
    }
    built, naive, twice, _ = index_build.rows_of(runs, 1000)
    assert (built["files/s"], built["files/s, best round"], built["peak MB"]) == (50, 100, 300)
    assert built["files per processor second"] == 62.5 and built["speed / json.load"] == 0.25
    assert naive["speed / json.load"] == 1 and (twice["files"], twice["speed / json.load"]) == (2000, 0.2)
    # 1,000 files in 20 s; with two free cores in 16 / 2 s; ratios of the rounds are 2, 2.5, 1.75 and 2, 2.5, 2
    assert [row["measured"] for row in index_build.limits_of(runs, 1000)] == [50, 125, 300, 2, 2]
