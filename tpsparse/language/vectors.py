"""Vectors of the names of a vocabulary, as one file. Shapes: K parts, S states, C objects, E channels of a vector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError
from ..structures.files import atomic_write, writing_told
from ..taxonomy import Taxonomy
from .models import ModelIdentity, identify
from .words import spoken_all

FORMAT_VERSION = "1"
KINDS = ("parts", "states", "objects")
_HEADER = "language_vectors"
_MAKE = "make it with tools/prepare_data.py language"


@dataclass
class LanguageVectors:
    """What a language model says of parts, states and objects.

    The SCU report (2022, section 2.3) makes of each part state three vectors one behind the other: part, verb and
    object, 3 x 768 with BERT-base. A part state of Kinetics-TPS names no object: which one the person deals with is
    known when the objects of the frame have been detected. So the file has the vectors of part and verb, in the context
    of each other, and those of the objects by themselves; the network that uses them puts the triple together.

    Args:
        parts: K names.
        states: S names.
        objects: C names, of which there may be none.
        model: Which language model the vectors are of.
        part_states: (K, S, 2, E) float32: in the phrase "<part> <state>" the mean of the model's last hidden states
            over the tokens of the part, and over those of the verb.
        objects_: (C + 1, E) float32: each object's name by itself; the last row is "nothing", for no object.
        words: Name to the words that were said instead of its own.

    Raises:
        ValueError: If a shape does not fit the names, the message has both; or a number is not finite.
    """

    parts: tuple[str, ...]
    states: tuple[str, ...]
    objects: tuple[str, ...]
    model: ModelIdentity
    part_states: np.ndarray
    objects_: np.ndarray
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in KINDS:
            setattr(self, kind, tuple(getattr(self, kind)))
        self.part_states = np.ascontiguousarray(self.part_states, dtype=np.float32)
        self.objects_ = np.ascontiguousarray(self.objects_, dtype=np.float32)
        channels = self.part_states.shape[-1] if self.part_states.ndim else 0
        expected = (len(self.parts), len(self.states), 2, channels), (len(self.objects) + 1, channels)
        for name, shape in zip(("part_states", "objects_"), expected):
            array = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} has numbers that are not finite")

    @property
    def channels(self) -> int:
        """E."""
        return self.part_states.shape[-1]

    def check(
        self,
        taxonomy: Taxonomy,
        model: str,
        words: Mapping[str, str] | None = None,
        *,
        path: str | Path = "language vectors",
    ) -> None:
        """Refuse vectors of other names, of another model, or of other words for a name.

        Args:
            taxonomy: The names at hand.
            model: Hub name, directory or word of the model that is asked for.
            words: The words that are asked for instead of names' own.
            path: Where the vectors come from, for the message.

        Raises:
            InputError: With what differs.
        """
        remedy = "remove it, so that it is made again, or name another file"
        for kind in KINDS:
            own, asked = getattr(self, kind), getattr(taxonomy, kind)
            if own != asked:
                told = f"{path} has vectors of other {kind} than the data set ({_difference(own, asked)})"
                raise InputError(f"{told}: {remedy}")
            said = zip(asked, spoken_all(own, self.words), spoken_all(asked, words))
            other = [
                f"{name} said as {own_words!r}, not {wanted!r}"
                for name, own_words, wanted in said
                if own_words != wanted
            ]
            if other:
                raise InputError(f"{path} has vectors of other words ({', '.join(other[:3])}): {remedy}")
        wanted_model = identify(model)
        if not self.model.is_same(wanted_model):
            raise InputError(f"{path} has vectors of the model {self.model}, not of {wanted_model}: {remedy}")

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, moved into place when whole; equal vectors are equal files.

        Raises:
            InputError: If there is no room for it.
        """
        header = {name: getattr(self, name) for name in (*KINDS, "words")}
        header = {"format": FORMAT_VERSION, "model": asdict(self.model), **header}
        # One string: the order in which the library writes several changes from run to run.
        metadata = {_HEADER: json.dumps(header, ensure_ascii=False, sort_keys=True)}
        arrays = {"part_states": self.part_states, "objects": self.objects_}
        with atomic_write(path) as partial, writing_told(path):
            # Not the library's own writer, whose error for a full disk is none of the system's.
            partial.write_bytes(save(arrays, metadata))

    @classmethod
    def load(cls, path: str | Path) -> LanguageVectors:
        """Read back what :meth:`save` wrote.

        Raises:
            InputError: If the file is missing, broken, of something else or of another format version.
        """
        if not Path(path).is_file():
            raise InputError(f"{path} is missing: {_MAKE}")
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be read ({error}): remove it and {_MAKE}") from error
        if _HEADER not in metadata:
            raise InputError(f"{path} holds no language vectors: name another file, or {_MAKE}")
        try:
            header: dict[str, Any] = json.loads(metadata[_HEADER])
            version, model = header.pop("format"), ModelIdentity(**header.pop("model"))
            if version != FORMAT_VERSION:
                raise InputError(f"{path} has format {version}, not {FORMAT_VERSION}: remove it and {_MAKE}")
            _check_header(header, model)
            return cls(**header, model=model, part_states=arrays["part_states"], objects_=arrays["objects"])
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path} is damaged ({error}): remove it and {_MAKE}") from error


def _check_header(header: dict[str, Any], model: ModelIdentity) -> None:
    """Refuse values of other types than are written.

    Raises:
        TypeError: Naming the first such value.
    """
    for kind in KINDS:
        if not isinstance(header[kind], list) or not all(isinstance(name, str) for name in header[kind]):
            raise TypeError(f"{kind} is no list of names")
    words = header.get("words", {})
    if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
        raise TypeError("words is no table of texts")
    if not isinstance(model.name, str) or not isinstance(model.digest, str):
        raise TypeError("model has a name or digest that is no text")


def _difference(own: tuple[str, ...], asked: tuple[str, ...]) -> str:
    """What sets two lists of names apart, in a few words."""
    lacking = [name for name in asked if name not in own]
    foreign = [name for name in own if name not in asked]
    if not lacking and not foreign:
        return "the same names in another order"
    told = [
        f"{len(names)} {what}, as {names[0]}" for what, names in (("lacking", lacking), ("foreign", foreign)) if names
    ]
    return "; ".join(told)
