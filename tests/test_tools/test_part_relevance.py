"""tools/analysis/part_relevance.py on records with and without relevance."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.structures import FrameParse, VideoParse

NAME = "analysis/part_relevance"


def save(path, *, persons=1, relevance=True, error=None):
    features = {"part_relevance": np.full((persons, 3), 0.5)} if relevance else {}
    frames = [FrameParse(number, np.zeros((persons, 4)), person_features=dict(features)) for number in (1, 6)]
    parse = VideoParse(path.stem, (64, 96), 12, 10.0, frames=[] if error else frames, error=error)
    parse.save(path)
    return path


@pytest.fixture
def call(run_tool, tiny_root, tmp_path, capsys):
    def run(*arguments, out="out.png"):
        status = run_tool(NAME, *arguments, "--data-root", tiny_root, "--out", tmp_path / out)
        return status, capsys.readouterr()

    return run


def test_a_record(call, tmp_path):
    status, told = call(save(tmp_path / "a (b) ü.safetensors"), out="new folder/é.png")
    assert status == 0 and told.out.endswith("é.png is written\n")
    assert (tmp_path / "new folder" / "é.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("folder", [".", "parses/test", "scu no (language)/parses/test"])
def test_a_work_folder_and_a_video(call, tmp_path, folder):
    save(tmp_path / "work" / folder / "v 1.safetensors")
    assert call(tmp_path / "work", "v 1")[0] == 0 and (tmp_path / "out.png").is_file()


def test_several_systems_share_a_work_folder(call, tmp_path):
    kept = [save(tmp_path / "work" / name / "parses/test/v.safetensors") for name in ("scu", "scu_mean", ".")]
    status, output = call(tmp_path / "work", "v")
    assert status == 2 and "has 3 records of v (" in output.err and output.err.endswith("): give one of them\n")
    assert all(str(path) in output.err for path in kept) and not (tmp_path / "out.png").exists()
    assert call(tmp_path / "work" / "scu", "v")[0] == 0
    # What stages keep, and records of training videos, are no records of a system.
    save(tmp_path / "work" / "parses" / "scu" / "train" / "w.safetensors")
    assert "has no record of w, nor have" in call(tmp_path / "work", "w")[1].err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (dict(relevance=False), "v.safetensors says nothing of part relevance: give a record of a system"),
        (dict(persons=0), "v.safetensors finds nobody"),
        (dict(error="v.mp4 is empty"), "v.safetensors is of a video that could not be parsed (v.mp4 is empty)"),
    ],
)
def test_records_with_nothing_to_draw(call, tmp_path, given, told):
    status, output = call(save(tmp_path / "v.safetensors", **given))
    assert status == 2 and told in output.err and not (tmp_path / "out.png").exists()


def test_wrong_places(call, tmp_path):
    path = save(tmp_path / "v.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(path.read_bytes()[:50])
    (tmp_path / "folder").mkdir()
    for arguments, told in (
        ([tmp_path / "missing.safetensors"], "cannot be read as a saved parse"),
        ([broken], "cannot be read as a saved parse"),
        ([tmp_path], "is a folder: name a video behind it"),
        ([tmp_path, "w"], "has no record of w"),
        ([path, "v"], "is no folder: leave v out"),
    ):
        status, output = call(*arguments)
        assert status == 2 and told in output.err and output.err.startswith("error: ")
    status, output = call(path, out="folder")
    assert status == 2 and "is a folder: give the name of a picture in it" in output.err
    status, output = call(path, out="out.jpg")
    assert status == 2 and "out.jpg is not the name of a PNG picture" in output.err
    assert not (tmp_path / "out.jpg").exists()


def test_another_vocabulary(run_tool, tmp_path, people_root, capsys):
    path = save(tmp_path / "v.safetensors")
    assert run_tool(NAME, path, "--data-root", people_root, "--out", tmp_path / "out.png") == 2
    told = "v.safetensors: the parse has the part_relevance of 3 parts and the taxonomy names 10"
    assert told in capsys.readouterr().err and not (tmp_path / "out.png").exists()
