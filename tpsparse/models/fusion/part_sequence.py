"""A video's action from its persons' parts, taken one after the other (SCU report, 2022, section 2.3).

Shapes: N videos, T frames, P persons in a frame, K parts, S states, C objects, A actions, D channels of a part's visual
feature, E channels of a word's vector, R channels of a part's representation, H hidden channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import InputError
from ...language import vectors_of
from ...registry import MODELS
from ...taxonomy import Taxonomy
from .classifier import FeatureClassifier, masked_max, masked_mean
from .preprocessor import PERSON_MASK

VISUAL, STATES, RELEVANCE, OBJECTS = "part_visual", "part_states", "part_relevance", "person_objects"
POOLS = {"max": masked_max, "mean": masked_mean}


@dataclass(frozen=True)
class LanguageSource:
    """Where the vectors of parts, states and objects come from when a training begins.

    Args:
        file: Stored vectors, see :class:`tpsparse.language.LanguageVectors`; made there if there are none.
        model: Hub name, directory or word of the language model.
        channels: E.
        words: Name to the words to say instead of its own.
    """

    file: str
    model: str
    channels: int
    words: Mapping[str, str] = field(default_factory=dict)


@MODELS.register_module()
class PartSequenceClassifier(FeatureClassifier):
    """Parts as vision and language see them, an LSTM over the parts of a person, and a linear layer.

    The representation of a part is its visual feature f^V, not resized, and behind it the language feature f^L of its
    states: each state's vectors of part, verb and object times the state's probability (equation 9), averaged over the
    states, and brought to ``part_channels`` by a linear layer. The object is the one that the person deals with, by the
    scores of ``person_objects``. The report is silent on the following, so it is this package's choice:

    - f^L is multiplied by the part's relevance after the linear layer, so that both halves fade with the relevance. The
      visual features come multiplied already, which a LayerNorm undoes: behind one, they are multiplied again.
    - A part without a box is one learned vector, the same for all parts, which begins as zeros.
    - The LSTM takes the parts in the order of the taxonomy. Its last outputs are pooled over the persons of all frames;
      a video without persons gets zeros.

    The vectors of the language model are part of the weights. They are read when a training begins; a network that is
    built, or loaded from a checkpoint, needs neither their file nor the language model.

    Args:
        num_actions: A.
        num_parts: K.
        num_states: S.
        num_objects: C, which may be 0.
        visual_channels: D; None leaves the visual features out.
        language: What :class:`LanguageSource` takes; None leaves the language features out.
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them; needed with ``language``.
        part_channels: Channels to which the language feature of a part is brought.
        sequence: ``lstm``, or ``mean``: the mean of the present parts, whatever their order, through one linear layer
            with a tanh, as wide as the LSTM and in the range of its outputs.
        hidden_channels: H.
        pool: ``max`` or ``mean`` over the persons of all frames.
        dropout: Probability of dropping an input of the linear layer that classifies.
        normalize: Put a LayerNorm before the visual and the language feature. Not in the report: averaged over many
            states, most of them improbable, the language feature is small beside the visual one.
        centre: Take from the vectors of parts, of verbs and of objects their mean over the vocabulary. Not in the
            report: what all vectors of a language model have in common outweighs what tells them apart (Mu and
            Viswanath, 2018, All-but-the-Top), and in equation 9 it says how many states are probable, not which.
        data_preprocessor: Config; :class:`FeaturePreprocessor` if not given.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        ValueError: If there is neither a visual nor a language feature, ``language`` comes without a taxonomy or with
            one of other sizes, or ``sequence`` or ``pool`` is unknown.
    """

    part_state_vectors: Tensor
    object_vectors: Tensor

    def __init__(
        self,
        *,
        num_actions: int,
        num_parts: int,
        num_states: int,
        num_objects: int,
        visual_channels: int | None,
        language: dict[str, Any] | None,
        taxonomy: dict[str, Any] | None = None,
        part_channels: int = 512,
        sequence: str = "lstm",
        hidden_channels: int = 512,
        pool: str = "max",
        dropout: float = 0.0,
        normalize: bool = False,
        centre: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if visual_channels is None and language is None:
            raise ValueError("visual_channels and language are both None: a part needs at least one of them")
        self.num_parts, self.num_states, self.num_objects = num_parts, num_states, num_objects
        self.visual_channels = visual_channels
        self.language = None if language is None else LanguageSource(**language)
        self.taxonomy = _checked_taxonomy(taxonomy, self) if language is not None else None
        self.centre = centre
        self.norms, channels = nn.ModuleDict(), visual_channels or 0
        if visual_channels is not None and normalize:
            self.norms[VISUAL] = nn.LayerNorm(visual_channels)
        if self.language is not None:
            size = self.language.channels
            self.register_buffer("part_state_vectors", torch.zeros(num_parts, num_states, 2 * size))
            self.register_buffer("object_vectors", torch.zeros(num_objects + 1, size))
            if normalize:
                self.norms["language"] = nn.LayerNorm(3 * size)
            self.resize = nn.Linear(3 * size, part_channels)
            channels += part_channels
        self.sequence = _choose("sequence", sequence, SEQUENCES)(channels, hidden_channels)
        self.pool = _choose("pool", pool, POOLS)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_channels, num_actions)

    @property
    def feature_channels(self) -> dict[str, int]:
        """Name of each feature (N, T, P, channels) that a batch must have, to its channels."""
        sizes = {RELEVANCE: self.num_parts}
        if self.visual_channels is not None:
            sizes[VISUAL] = self.num_parts * self.visual_channels
        if self.language is not None:
            sizes[STATES] = self.num_parts * self.num_states
            sizes[OBJECTS] = self.num_objects + 1
        return {name: sizes[name] for name in (VISUAL, STATES, RELEVANCE, OBJECTS) if name in sizes}

    def feature_shapes(self, frames: int, persons: int) -> dict[str, tuple[int, ...]]:
        """All of persons: (T, P, channels)."""
        return {name: (frames, persons, channels) for name, channels in self.feature_channels.items()}

    def init_weights(self) -> None:
        """Draw weights, and read the language vectors, or make them if there are none yet.

        Raises:
            InputError: If the stored vectors are of another vocabulary, model, words or size, or cannot be made.
        """
        super().init_weights()
        if self.language is None or self.taxonomy is None:
            return
        source = self.language
        vectors = vectors_of(source.file, source.model, self.taxonomy, source.words)
        if vectors.channels != source.channels:
            told = f"{source.file} has vectors of {vectors.channels} channels, the network takes {source.channels}"
            raise InputError(f"{told}: set channels={vectors.channels} in the config's language")
        states, objects = torch.from_numpy(vectors.part_states).flatten(2), torch.from_numpy(vectors.objects_)
        if self.centre:
            states, objects = states - states.mean(dim=(0, 1)), objects - objects.mean(dim=0)
        self.part_state_vectors.copy_(states)
        self.object_vectors.copy_(objects)

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits (N, A) of a batch."""
        parts, present = self.part_features(inputs)
        persons = self.sequence(parts, present)
        videos = self.pool(persons.flatten(1, 2), inputs[PERSON_MASK].flatten(1, 2))
        return self.classifier(self.dropout(videos))

    def part_features(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Representations (N, T, P, K, R) of the parts, and which are present (N, T, P, K) bool.

        Raises:
            ValueError: If a feature is missing or has another number of channels.
        """
        relevance = self._checked(RELEVANCE, inputs)
        present, halves = relevance > 0, []
        if self.visual_channels is not None:
            visual = self._checked(VISUAL, inputs).unflatten(-1, (self.num_parts, self.visual_channels))
            halves.append(self._normalized_visual(visual, relevance))
        if self.language is not None:
            states = self._checked(STATES, inputs).unflatten(-1, (self.num_parts, self.num_states))
            present = present | (states > 0).any(dim=-1)
            language = self.language_features(states, self._checked(OBJECTS, inputs))
            if "language" in self.norms:
                language = self.norms["language"](language)
            halves.append(self.resize(language) * relevance[..., None])
        return torch.cat(halves, dim=-1), present

    def language_features(self, states: Tensor, objects: Tensor) -> Tensor:
        """Equation 9, averaged over the states.

        Args:
            states: (..., K, S) probabilities.
            objects: (..., C + 1) scores of what the person deals with, the last of no object.

        Returns:
            (..., K, 3 E): part, verb, object.
        """
        # The sum over states as a matrix product: no tensor has both the states' axis and the vectors'.
        words = torch.einsum("...ks,kse->...ke", states, self.part_state_vectors) / self.num_states
        weights = states.mean(dim=-1)[..., None]
        return torch.cat([words, weights * (objects @ self.object_vectors)[..., None, :]], dim=-1)

    def _normalized_visual(self, visual: Tensor, relevance: Tensor) -> Tensor:
        if VISUAL not in self.norms:
            return visual
        return self.norms[VISUAL](visual) * relevance[..., None]

    def _checked(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        feature, channels = self.feature(name, inputs), self.feature_channels[name]
        if feature.shape[-1] != channels:
            raise ValueError(f"feature {name} has shape {tuple(feature.shape)}, expected (N, T, P, {channels})")
        return feature


class PartLSTM(nn.Module):
    """The last output of an LSTM over the parts; a part that is absent is a learned vector.

    Args:
        channels: R.
        hidden_channels: H.
    """

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.zeros(channels))
        self.lstm = nn.LSTM(channels, hidden_channels, batch_first=True)

    def forward(self, parts: Tensor, present: Tensor) -> Tensor:
        """(..., H) of parts (..., K, R), of which those in present (..., K) are there."""
        parts = torch.where(present[..., None], parts, self.absent)
        outputs, _ = self.lstm(parts.flatten(0, -3))
        return outputs[:, -1].unflatten(0, parts.shape[:-2])


class PartMean(nn.Module):
    """The mean of the parts that are there, through one linear layer with a tanh; zeros where none is.

    Args:
        channels: R.
        hidden_channels: H.
    """

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, hidden_channels)

    def forward(self, parts: Tensor, present: Tensor) -> Tensor:
        """(..., H) of parts (..., K, R), of which those in present (..., K) are there."""
        return self.linear(masked_mean(parts, present)).tanh()


SEQUENCES = {"lstm": PartLSTM, "mean": PartMean}


def _choose(name: str, value: str, known: dict[str, Any]) -> Any:
    if value not in known:
        raise ValueError(f"{name} is {value!r}, expected {' or '.join(known)}")
    return known[value]


def _checked_taxonomy(taxonomy: dict[str, Any] | None, model: PartSequenceClassifier) -> Taxonomy:
    if taxonomy is None:
        raise ValueError("language needs the names that its vectors are of: give taxonomy")
    names = Taxonomy.from_meta(taxonomy)
    found = tuple(len(kind) for kind in (names.parts, names.states, names.objects))
    expected = (model.num_parts, model.num_states, model.num_objects)
    if found != expected:
        raise ValueError(f"taxonomy has {found} parts, states and objects, expected {expected}")
    return names
