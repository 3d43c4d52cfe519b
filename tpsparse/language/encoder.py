"""Vectors of a vocabulary by a language model. Shapes: B phrases, L tokens, E channels of a vector.

``transformers`` is imported only where a model is run: vectors that are stored, or in a checkpoint, need none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from tqdm import tqdm

from ..errors import InputError
from ..taxonomy import Taxonomy
from .models import REMEDY, check_name, find_model, identify
from .vectors import LanguageVectors
from .words import NO_OBJECT, check_given, spoken

BATCH = 64
SHOWN = 10
SHORT = 40
TRIAL = "qxj"
"""A text of no known word, which a whole tokenizer takes apart or calls unknown."""
Phrase = tuple[str, list[tuple[int, int]]]
"""A text, and the stretches of it, as first and last but one character, whose tokens are averaged."""


def vectors_of(
    file: str | Path, model: str, taxonomy: Taxonomy, words: Mapping[str, str] | None = None
) -> LanguageVectors:
    """The vectors in a file, or, where there is none yet, those of the model, which are stored there.

    Processes that meet here all encode, and each writes the same file whole.

    Args:
        file: Where the vectors are or will be.
        model: Hub name, directory or word of a packaged model.
        taxonomy: Names of parts, states and objects.
        words: Name to the words to say instead of its own.

    Raises:
        InputError: If the file is of another vocabulary, model or words, there is none and it cannot be made, or words
            are given for a name that there is not.
    """
    path = Path(file)
    check_name(model)
    check_given(words, _names(taxonomy))
    _check_place(path)
    if path.is_file():
        vectors = LanguageVectors.load(path)
        vectors.check(taxonomy, model, words, path=path)
        return vectors
    vectors = encode(taxonomy, model, words)
    vectors.save(path)
    return vectors


def encode(
    taxonomy: Taxonomy, model: str, words: Mapping[str, str] | None = None, *, progress: bool = True
) -> LanguageVectors:
    """Vectors of parts and states in each other's context and of objects by themselves (SCU report, section 2.3).

    A name that the model splits into pieces has the mean of its pieces. A name of which it knows only some words is
    told in the log.

    Args:
        taxonomy: Names of parts, states and objects; there may be no objects.
        model: Hub name, directory or word of a packaged model.
        words: Name to the words to say instead of its own.
        progress: Show a progress bar.

    Raises:
        InputError: If ``transformers`` or the model is missing or broken, names have no word that the model knows, or
            too many, or words are given for a name that there is not.
    """
    check_given(words, _names(taxonomy))
    said = {name: spoken(name, words) for name in _names(taxonomy)}
    _check_installed()
    folder = find_model(model)
    with _quiet():
        encoder = _Encoder(folder)
        encoder.check_words(said)
        pairs = [_phrase(said[part], said[state]) for part in taxonomy.parts for state in taxonomy.states]
        alone = [_phrase(said[name]) for name in (*taxonomy.objects, NO_OBJECT)]
        encoder.check_lengths([*pairs, *alone])
        vectors = encoder.encode([*pairs, *alone], progress=progress)
    part_states = np.stack(vectors[: len(pairs)]).reshape(len(taxonomy.parts), len(taxonomy.states), 2, -1)
    return LanguageVectors(
        parts=taxonomy.parts,
        states=taxonomy.states,
        objects=taxonomy.objects,
        model=identify(model),
        part_states=part_states,
        objects_=np.concatenate(vectors[len(pairs) :]),
        words=dict(words or {}),
    )


def _names(taxonomy: Taxonomy) -> list[str]:
    return [*taxonomy.parts, *taxonomy.states, *taxonomy.objects, NO_OBJECT]


def _check_place(path: Path) -> None:
    """Refuse a place where no file can be, before the work for it is done."""
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file for the language vectors")
    for parent in path.parents:
        if parent.exists() and not parent.is_dir():
            raise InputError(f"{path} cannot be written, as {parent} is a file: name another file")


def _phrase(*texts: str) -> Phrase:
    """Texts joined to one, with the stretch of each."""
    stretches, begin = [], 0
    for text in texts:
        stretches.append((begin, begin + len(text)))
        begin += len(text) + 1
    return " ".join(texts), stretches


class _Encoder:
    """A language model with its tokenizer, on the CPU.

    Args:
        folder: Directory of the model.

    Raises:
        InputError: If it cannot be loaded, some of its weights are missing, or its tokenizer does not tell which
            characters a token is made of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokenizer, self.network = _load(folder)
        if not getattr(self.tokenizer, "is_fast", False) or self.tokenizer.pad_token is None:
            told = f"{folder} has no fast tokenizer with a padding token"
            raise InputError(f"{told}, which tells the words of a phrase apart: give a model of BERT's kind")

    def check_words(self, said: Mapping[str, str]) -> None:
        """Refuse names without a known word; tell of those with an unknown one.

        Args:
            said: Name to its words.

        Raises:
            InputError: With the names.
        """
        lost, partly = [], []
        for name, text in said.items():
            tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            known = [token != self.tokenizer.unk_token_id for token in tokens]
            if not any(known):
                lost.append(name)
            elif not all(known):
                partly.append(name)
        if lost:
            told = f"{self.folder} knows no word of {len(lost)} names ({_listed(lost)})"
            raise InputError(f'{told}: give words for them, as in words={{"{lost[0]}": "other words"}}')
        if partly:
            from mmengine.logging import print_log

            told = f"{self.folder} does not know every word of {len(partly)} names ({_listed(partly)})"
            print_log(f"{told}; words= gives others", "current", logging.WARNING)

    def check_lengths(self, phrases: Sequence[Phrase]) -> None:
        """Refuse phrases of more tokens than the model takes.

        Raises:
            InputError: With the longest phrase, cut to a few words.
        """
        known = (self.tokenizer.model_max_length, getattr(self.network.config, "max_position_embeddings", None))
        most = min(length for length in known if length)
        lengths = [len(tokens) for tokens in self.tokenizer([text for text, _ in phrases])["input_ids"]]
        longest = max(lengths)
        if longest > most:
            text = shorten(phrases[lengths.index(longest)][0], SHORT, placeholder=" ...")
            told = f"{self.folder} takes {most} tokens, and {text!r} has {longest}"
            raise InputError(f'{told}: give fewer words for its names, as in words={{"name": "other words"}}')

    def encode(self, phrases: Sequence[Phrase], *, progress: bool) -> list[np.ndarray]:
        """For each phrase (stretches, E) float32, the mean of the last hidden states of each stretch's tokens."""
        import torch

        vectors: list[np.ndarray] = []
        with tqdm(total=len(phrases), desc="language", unit="phrase", disable=not progress) as bar:
            for begin in range(0, len(phrases), BATCH):
                batch = phrases[begin : begin + BATCH]
                inputs = self.tokenizer(
                    [text for text, _ in batch], padding=True, return_offsets_mapping=True, return_tensors="pt"
                )
                offsets = inputs.pop("offset_mapping").numpy()
                with torch.inference_mode():
                    hidden = self.network(**inputs).last_hidden_state.float().numpy()
                vectors += [self._means(phrase, *rows) for phrase, *rows in zip(batch, hidden, offsets)]
                bar.update(len(batch))
        return vectors

    def _means(self, phrase: Phrase, hidden: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """(stretches, E) of hidden states (L, E) whose tokens have characters (L, 2), first and last but one."""
        text, stretches = phrase
        real = offsets[:, 1] > offsets[:, 0]  # the model's own tokens stand for no character
        masks = [real & (offsets[:, 0] >= begin) & (offsets[:, 0] < end) for begin, end in stretches]
        if not all(mask.any() for mask in masks):
            raise InputError(f"{self.folder} does not keep the words of {text!r} apart: give a model of BERT's kind")
        return np.stack([hidden[mask].mean(axis=0) for mask in masks])


def _load(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tokenizer(TRIAL)  # one without its word for unknown ones fails here
        network, info = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except Exception as error:  # JSON, pickle, size and attribute errors share no base class
        told = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{folder} cannot be loaded as a language model ({told}): fetch it again") from error
    # The pooler is not used. All else that is missing would be random numbers.
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
    if missing:
        told = f"{folder} lacks {len(missing)} weights of its model, among them {missing[0]}"
        raise InputError(f"{told}: fetch it again, or give another directory")
    return tokenizer, network.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the library's own bars and remarks, such as that weights of another head are not used."""
    from transformers.utils import logging as told

    level, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.set_verbosity(level)
        if bars:
            told.enable_progress_bar()


def _check_installed() -> None:
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise InputError(f"transformers, which runs language models, cannot be imported ({error}): {REMEDY}") from error


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
