"""CTM: a recurrent network that learns from the number of sub-actions alone.

Shapes: N instances in a batch, T frames, D channels, K labels, S labelings, A sub-actions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from ...errors import InputError
from ...registry import MODELS
from ...structures.temporal import TemporalSample, boundaries_of_changes
from ..losses import widened
from .base import Parsing, TemporalParser

NEVER = -1e30
"""The logarithm of no chance; an infinite one would make the gradients of logaddexp undefined."""


@MODELS.register_module()
class CTM(TemporalParser):
    """Connectionist temporal modelling (Huang et al., ECCV 2016) as section 6.2 of the TAPOS paper adapts it.

    A bidirectional LSTM gives each frame a distribution over K labels. The likelihood of a labeling, a list of A
    labels, is the sum over all ways to stretch it to T frames, every label to one frame at least, by the forward
    recursion; there is no blank, since every frame is of a sub-action. Which labels a sub-action has is not known, so
    any list of as many distinct ones may be right: the loss is the negative sum of the log likelihoods of labelings
    drawn at random. An instance is parsed by the best path: where the most probable label changes.

    Chosen here, where the paper is silent: K, the width (256 in the original), that labelings are drawn anew for every
    batch, and that the sum is divided by the number of labelings and of frames, which only scales it so that long
    instances do not outweigh short ones. Of more than K sub-actions those K apart share a label.

    The original also weighs paths by visual similarity, its "extended" recursion: to stay with a label counts with the
    similarity of the two frames but at least ``similarity``, to go on to the next with ``similarity``. The TAPOS paper
    does not speak of it, so it is off by default. The similarity here is the cosine of the features.

    Args:
        channels: D.
        hidden_channels: Width of the LSTM in each direction.
        num_labels: K, 2 or more.
        num_labelings: S.
        similarity: The least weight of a step between two frames, in (0, 1]; None weighs all paths alike.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        InputError: If there are fewer than 2 labels, or the similarity is outside its range.
    """

    def __init__(
        self,
        *,
        channels: int,
        hidden_channels: int = 256,
        num_labels: int = 64,
        num_labelings: int = 8,
        similarity: float | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, channels=channels)
        if num_labels < 2:
            raise InputError(f"CTM has {num_labels} labels: give num_labels of 2 or more, or nothing can change")
        if similarity is not None and not 0 < similarity <= 1:
            raise InputError(f"CTM has similarity {similarity}: give one above 0 and at most 1, or None")
        self.num_labelings, self.similarity = num_labelings, similarity
        self.lstm = nn.LSTM(channels, hidden_channels, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(2 * hidden_channels, num_labels)

    def log_probabilities(self, inputs: Sequence[Tensor]) -> Tensor:
        """(N, T, K) of N features; beyond an instance's own frames the values mean nothing."""
        lengths = torch.tensor([len(features) for features in inputs])
        packed = pack_padded_sequence(
            pad_sequence(list(inputs), batch_first=True), lengths, batch_first=True, enforce_sorted=False
        )
        hidden, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return widened(self.classifier(hidden)).log_softmax(dim=-1)

    def loss(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        """See the class; the mean over the batch."""
        log_probabilities = self.log_probabilities(inputs)
        device = log_probabilities.device
        frames = torch.tensor([len(features) for features in inputs], device=device)
        counts = torch.tensor([len(sample.boundaries) + 1 for sample in data_samples], device=device)
        shape = len(inputs), self.num_labelings, int(counts.max())
        labelings = random_labelings(*shape, num_labels=log_probabilities.shape[-1]).to(device)
        steps = None if self.similarity is None else step_weights(inputs, self.similarity)
        likelihoods = labeling_log_likelihoods(log_probabilities, labelings, frames=frames, counts=counts, steps=steps)
        return {"loss_labeling": -(likelihoods / frames[:, None]).mean()}

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        return Parsing(boundaries_of_changes(self.log_probabilities([features])[0].argmax(dim=-1)))


def random_labelings(instances: int, labelings: int, length: int, *, num_labels: int) -> Tensor:
    """(N, S, A) int64 labels in random order, distinct as far as there are enough; neighbours always differ."""
    order = torch.rand(instances, labelings, num_labels).argsort(dim=-1)
    return order[..., torch.arange(length) % num_labels]


def step_weights(inputs: Sequence[Tensor], least: float) -> tuple[Tensor, float]:
    """Logarithms of the weights of staying with a label (N, T), at the first frame 0, and of going on to the next.

    Args:
        inputs: N features (T, D).
        least: See :class:`CTM`.
    """
    stays = []
    for features in inputs:
        similar = functional.cosine_similarity(features[1:], features[:-1], dim=1).clamp(min=least)
        stays.append(functional.pad(similar.log(), (1, 0)))
    return pad_sequence(stays, batch_first=True), math.log(least)


def labeling_log_likelihoods(
    log_probabilities: Tensor,
    labelings: Tensor,
    *,
    frames: Tensor,
    counts: Tensor,
    steps: tuple[Tensor, float] | None = None,
) -> Tensor:
    """Log of the summed probability of all ways to stretch each labeling to the frames of its instance: (N, S).

    The forward recursion in logarithms, over all instances, labelings and their places at once. With ``steps`` every
    way is weighted by its steps, and the result is no probability.

    Args:
        log_probabilities: (N, T, K).
        labelings: (N, S, A) labels; neighbours must differ.
        frames: (N,) how many of the T frames each instance has, at least as many as it has sub-actions.
        counts: (N,) how many of the A labels each instance has, 1 or more.
        steps: As :func:`step_weights` gives them.
    """
    instances, length = log_probabilities.shape[:2]
    _, num_labelings, places = labelings.shape
    index = labelings.reshape(instances, 1, -1).expand(-1, length, -1)
    emitted = log_probabilities.gather(2, index).reshape(instances, length, num_labelings, places)
    first = torch.arange(places, device=labelings.device) == 0
    forward = emitted[:, 0].where(first, NEVER)
    for t in range(1, length):
        before = functional.pad(forward[..., :-1], (1, 0), value=NEVER)
        stayed = forward
        if steps is not None:
            stayed, before = stayed + steps[0][:, t, None, None], before + steps[1]
        reached = torch.logaddexp(stayed, before) + emitted[:, t]
        forward = reached.where((t < frames)[:, None, None], forward)
    last = (counts - 1)[:, None, None].expand(-1, num_labelings, 1)
    return forward.gather(2, last)[..., 0]
