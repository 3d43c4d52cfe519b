from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tpsparse.datasets.index import open_index
from tpsparse.taxonomy import Taxonomy

SMALL = ("--actions", 2, "--train", 2, "--test", 1, "--frames", 8, "--size", "96x128", "--workers", 1)


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_files_as_the_function(run_tool, people_root, tmp_path):
    assert run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", *SMALL) == 0
    assert digests(tmp_path / "data") == digests(people_root)


@pytest.mark.parametrize("split", ["train", "test"])
def test_index_reads_all_of_it(people_root, split):
    taxonomy = Taxonomy.from_root(people_root)
    index = open_index(people_root, split, taxonomy)
    assert len(index.videos) == 2 * {"train": 2, "test": 1}[split] and len(index.problems) == 0
    assert len(index.frame_number) == 8 * len(index.videos) and len(index.boxes) >= len(index.frame_number)
    assert len(taxonomy.parts) == 10 and (index.part_states >= 0).any(axis=(0,)).all()


@pytest.mark.parametrize("size", ["96", "96x", "x96", "axb", "96x-4"])
def test_size_that_is_none(run_tool, tmp_path, size, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", "--size", size)
    assert ended.value.code == 2 and f"{size} is not HxW: write the height" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_folder_that_holds_something_else(run_tool, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    assert run_tool("prepare_data", "synthetic", "--out", tmp_path / "data", *SMALL) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine.txt"]


def test_folder_that_cannot_be_made(run_tool, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "synthetic", "--out", "/dev/null/x", *SMALL)
    assert ended.value.code == 2 and "/dev/null is not a folder: give another place" in capsys.readouterr().err
