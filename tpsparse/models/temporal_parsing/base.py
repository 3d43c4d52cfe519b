"""What every parser of action instances shares. Shapes: N instances, T frames of one, D channels, B boundaries.

A method is one file with one class here and one config: a child says how it learns (:meth:`TemporalParser.loss`, or
:meth:`fit` where nothing has a gradient) and where the sub-actions of one instance begin (:meth:`parse`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mmengine.model import BaseModel
from torch import Tensor

from ...errors import InputError
from ...structures.temporal import TemporalSample


@dataclass
class Parsing:
    """What a parser says of one instance.

    Args:
        boundaries: (B,) int64, see :class:`TemporalSample`.
        scores: (T,), if the method scores frames.
        responses: (T, M), if the method has patterns.
    """

    boundaries: Tensor
    scores: Tensor | None = None
    responses: Tensor | None = None


class TemporalParser(BaseModel):
    """Sub-action boundaries from frame features; a batch is a list of instances, each of its own length.

    Args:
        init_cfg: Weights, as in every mmengine module.
        channels: D, which every instance is held to; None for a method that does not look at the features.
    """

    def __init__(self, init_cfg: dict | None = None, *, channels: int | None = None) -> None:
        super().__init__(dict(type="BaseDataPreprocessor"), init_cfg)
        self.channels = channels

    @abstractmethod
    def parse(self, features: Tensor) -> Parsing:
        """Parse one instance from its features (T, D)."""

    def loss(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        """Losses of a batch by name; of methods that learn by gradients.

        Args:
            inputs: N features (T, D).
            data_samples: N samples with ``boundaries`` and, in ``metainfo``, ``label``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not learn by gradients: give its config a FitLoop")

    def fit(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> None:
        """Learn what needs no gradient from all training instances, in one pass, before the first epoch.

        A method that looks at the features takes them from ``self.checked(samples)``.
        """
        raise NotImplementedError(f"{type(self).__name__} learns by gradients alone: take the FitLoop or FitHook out")

    def forward(
        self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample] | None = None, mode: str = "tensor"
    ) -> dict[str, Tensor] | list[TemporalSample] | list[Parsing]:
        """Parse or learn from a batch that ``PackInstance`` and mmengine's collation have made.

        Args:
            inputs: N features (T, D).
            data_samples: N samples; needed to learn.
            mode: ``tensor`` for N :class:`Parsing`, ``loss``, or ``predict`` for the samples with what was found.

        Raises:
            InputError: If features have other channels than the method takes.
            ValueError: If the mode is another, or samples are needed and missing.
        """
        if mode not in ("tensor", "loss", "predict"):
            raise ValueError(f"mode is {mode!r}, expected tensor, loss or predict")
        self._check(inputs, data_samples)
        if mode == "tensor":
            return [self.parse(features) for features in inputs]
        if data_samples is None:
            raise ValueError(f"mode {mode} needs data_samples")
        if mode == "loss":
            return self.loss(inputs, data_samples)
        return [self._told(features, sample) for features, sample in zip(inputs, data_samples)]

    def checked(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> Iterator[tuple[Tensor, TemporalSample]]:
        """The same instances, one by one, for what does not go through :meth:`forward`.

        Raises:
            InputError: If features have other channels than the method takes.
        """
        for features, sample in samples:
            self._check([features], [sample])
            yield features, sample

    def _check(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample] | None) -> None:
        """Refuse features of other channels; a config that names other features is the usual cause."""
        for number, features in enumerate(inputs):
            if self.channels is None or (features.ndim == 2 and features.shape[1] == self.channels):
                continue
            key = f"instance {number} of the batch" if data_samples is None else data_samples[number].key
            told = f"features of {key} have shape {tuple(features.shape)}, the model takes (frames, {self.channels})"
            raise InputError(f"{told}: set model.channels to those of the features and train, or name others")

    def _told(self, features: Tensor, sample: TemporalSample) -> TemporalSample:
        found = self.parse(features)
        sample.pred_boundaries = found.boundaries
        for name in ("scores", "responses"):
            if getattr(found, name) is not None:
                setattr(sample, name, getattr(found, name))
        return sample
