"""The file of language vectors: there and back, and what is refused. No language model is run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tpsparse.errors import InputError
from tpsparse.language import LanguageVectors, ModelIdentity
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "hip"), states=("none", "step_on", "pâté (warm)"), actions=("run",), objects=("rope",))


def make_vectors(**changes) -> LanguageVectors:
    random = np.random.default_rng(0)
    given = dict(
        parts=NAMES.parts,
        states=NAMES.states,
        objects=NAMES.objects,
        model=ModelIdentity("tiny", "ab" * 32),
        part_states=random.normal(size=(2, 3, 2, 4)),
        objects_=random.normal(size=(2, 4)),
        words={"step_on": "step onto"},
    )
    return LanguageVectors(**{**given, **changes})


class TestFile:
    def test_there_and_back(self, tmp_path: Path) -> None:
        vectors, path = make_vectors(), tmp_path / "made for it" / "vectors.safetensors"
        vectors.save(path)
        read = LanguageVectors.load(path)
        assert (read.parts, read.states, read.objects) == (vectors.parts, vectors.states, vectors.objects)
        assert read.model == vectors.model and read.words == vectors.words and read.channels == 4
        np.testing.assert_array_equal(read.part_states, vectors.part_states)
        np.testing.assert_array_equal(read.objects_, vectors.objects_)
        assert read.part_states.dtype == read.objects_.dtype == np.float32

    def test_equal_vectors_are_equal_files(self, tmp_path: Path, find_leftovers) -> None:
        for name in "ab":
            make_vectors().save(tmp_path / name)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
        assert find_leftovers(tmp_path) == []

    def test_no_objects(self, tmp_path: Path) -> None:
        make_vectors(objects=(), objects_=np.ones((1, 4))).save(tmp_path / "file")
        assert LanguageVectors.load(tmp_path / "file").objects_.shape == (1, 4)

    def test_no_room(self, tmp_path: Path, little_room, find_leftovers) -> None:
        large = make_vectors(part_states=np.ones((2, 3, 2, 400)), objects_=np.ones((2, 400)))
        with little_room(), pytest.raises(InputError, match="file cannot be written .*make room"):
            large.save(tmp_path / "file")
        assert list(tmp_path.iterdir()) == []

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none is missing: make it with tools/prepare_data.py language"):
            LanguageVectors.load(tmp_path / "none")

    def test_broken(self, tmp_path: Path) -> None:
        make_vectors().save(tmp_path / "file")
        whole = (tmp_path / "file").read_bytes()
        for content in (b"", b"no such format", whole[:-1], whole[:20]):
            (tmp_path / "file").write_bytes(content)
            with pytest.raises(InputError, match="file cannot be read"):
                LanguageVectors.load(tmp_path / "file")

    def test_of_something_else(self, tmp_path: Path) -> None:
        save_file({"part_states": np.ones(3)}, tmp_path / "file")
        with pytest.raises(InputError, match="holds no language vectors"):
            LanguageVectors.load(tmp_path / "file")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"format": "2"}, "has format 2, not 1"),
            ({"parts": ["head"]}, r"is damaged \(part_states has shape \(2, 3, 2, 4\), expected \(1, 3, 2, 4\)\)"),
            ({"model": None}, "is damaged"),
            ({"more": 1}, "is damaged"),
            ({"words": ["a"]}, r"is damaged \(words is no table of texts\): remove it"),
            ({"words": {"a": 5}}, r"is damaged \(words is no table of texts\)"),
            ({"model": {"name": "tiny", "digest": 5}}, r"is damaged \(model has a name or digest that is no text\)"),
            ({"model": {"name": 5}}, r"is damaged \(model has a name"),
            ({"states": "abc"}, r"is damaged \(states is no list of names\)"),
            ({"states": [1, 2, 3]}, r"is damaged \(states is no list of names\)"),
        ],
    )
    def test_header_that_does_not_fit(self, tmp_path: Path, change, told) -> None:
        header = dict(format="1", model=dict(name="tiny"), parts=["head", "hip"], states=list("abc"), objects=["rope"])
        arrays = {"part_states": np.ones((2, 3, 2, 4), np.float32), "objects": np.ones((2, 4), np.float32)}
        save_file(arrays, tmp_path / "file", {"language_vectors": json.dumps(header)})
        assert LanguageVectors.load(tmp_path / "file").model == ModelIdentity("tiny")
        save_file(arrays, tmp_path / "file", {"language_vectors": json.dumps({**header, **change})})
        with pytest.raises(InputError, match=told):
            LanguageVectors.load(tmp_path / "file")


class TestShapes:
    def test_both_shapes_are_told(self) -> None:
        with pytest.raises(ValueError, match=r"objects_ has shape \(1, 4\), expected \(2, 4\)"):
            make_vectors(objects_=np.ones((1, 4)))
        with pytest.raises(ValueError, match=r"part_states has shape \(2, 3, 4\), expected \(2, 3, 2, 4\)"):
            make_vectors(part_states=np.ones((2, 3, 4)))

    def test_not_finite(self) -> None:
        with pytest.raises(ValueError, match="objects_ has numbers that are not finite"):
            make_vectors(objects_=np.full((2, 4), np.nan))


class TestCheck:
    def test_what_fits(self) -> None:
        make_vectors().check(NAMES, "tiny", {"step_on": "step onto", "unused": "word"})
        make_vectors(words={}).check(NAMES, "tiny")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (dict(parts=("head", "foot")), r"other parts .*\(1 lacking, as foot; 1 foreign, as hip\)"),
            (dict(states=NAMES.states[::-1]), r"other states .*\(the same names in another order\)"),
            (dict(objects=()), r"other objects .*\(1 foreign, as rope\)"),
        ],
    )
    def test_other_names(self, change, told) -> None:
        with pytest.raises(InputError, match=f"^my file has vectors of {told}: remove it"):
            make_vectors().check(replace(NAMES, **change), "tiny", {"step_on": "step onto"}, path="my file")

    def test_other_words(self) -> None:
        with pytest.raises(InputError, match="other words .step_on said as 'step onto', not 'step on'"):
            make_vectors().check(NAMES, "tiny")
        with pytest.raises(InputError, match="head said as 'head', not 'skull'"):
            make_vectors().check(NAMES, "tiny", {"head": "skull", "step_on": "step onto"})

    def test_actions_do_not_matter(self) -> None:
        make_vectors(words={}).check(replace(NAMES, actions=("jump", "run")), "tiny")

    def test_other_model(self) -> None:
        with pytest.raises(InputError, match=r"of the model tiny \(weights abababab\), not of other \(weights unknown"):
            make_vectors(words={}).check(NAMES, "other")

    def test_weights_decide_where_they_are_known(self, tmp_path: Path) -> None:
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / "model.safetensors").write_bytes(b"weights")
        with pytest.raises(InputError, match="weights abababab.*, not of copy"):
            make_vectors(words={}).check(NAMES, str(tmp_path / "copy"))
        digest = "9a00e8c7057f9a7dbd3fb5e2e9b8a1a7"
        assert not ModelIdentity("copy", digest).is_same(ModelIdentity("copy", "00"))
        assert ModelIdentity("copy", digest).is_same(ModelIdentity("other", digest))
        assert ModelIdentity("copy", digest).is_same(ModelIdentity("copy"))
        assert not ModelIdentity("copy", digest).is_same(ModelIdentity("other"))
