"""ISBA: frame labels learned from ordered lists of labels, whose boundaries are assigned anew round by round.

Shapes: T frames, D channels, K groups, A sub-actions, B = A - 1 boundaries.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ...evaluation.functional.boundaries import even_boundaries
from ...registry import MODELS
from ...structures.temporal import TemporalSample, boundaries_of_changes, segment_ids
from ..losses import widened
from .base import Parsing, TemporalParser
from .clustering import frame_centres, nearest_centres


@MODELS.register_module()
class ISBA(TemporalParser):
    """Iterative soft boundary assignment (Ding and Xu, CVPR 2018) as section 6.2 of the TAPOS paper adapts it.

    A temporal convolutional feature pyramid tells the label of each frame. What it learns from is an instance's
    *transcript*: the ordered list of its sub-actions' labels, without times. The transcript is first spread evenly over
    the instance; after each round of training every boundary goes where the network's scores want it. Targets near a
    boundary are soft: they fade from one label to the next. An instance is cut where the most probable label changes.

    Labels of sub-actions are not annotated, so the frames of all training instances are grouped into K clusters
    beforehand (:meth:`fit`). Chosen here, where the paper is silent:

    - A sub-action's label is the most frequent cluster among its frames that is not the label before it. Its annotated
      times are used for this vote and for nothing else.
    - A round is as many epochs as ``AssignmentHook`` says, and the network goes on learning; the original trains a new
      one in each. A boundary moves within the nearer halves of its two sub-actions, to where the sum of the log
      probabilities of the left label before it and of the right label behind it is greatest. So order and number stay,
      as in the original, which at each boundary inserts the more probable of its two labels once more and stretches the
      list over the instance again.
    - The training ends with its last epoch; the original's stop criterion compares video-level losses of the rounds.
    - Widths, kernels of 25 frames, dropout and the mean of the levels' probabilities are those of the published code.
      Its batch norm needs batches of instances of one length; here the rectifiers are normalised, as in the
      encoder-decoder that it extends (Lea et al., CVPR 2017).

    It needs whole instances: a data set's ``max_frames`` cuts what the assigned boundaries are positions in. What has
    been assigned to an instance of another length or of another number of sub-actions, as such a cut or a corrected
    annotation has, is not used: the instance begins with even boundaries again, and the first one is told.

    Args:
        channels: D.
        num_groups: K, 2 or more.
        widths: Channels of the pyramid's levels, each at half the frames of the one before; on the way up they all have
            the first's.
        kernel_size: Frames that a convolution sees, odd.
        softness: Frames over which a target fades on either side of a boundary, as a share of the shorter of its two
            sub-actions; 0 to 0.5.
        dropout: Of whole channels.
        init_cfg: Weights, as in every mmengine module.

    Attributes:
        assigned: By key of the instance, of those that have been assigned once: the ends (A,) of their sub-actions,
            which are the boundaries and T.

    Raises:
        InputError: If a number is outside its range.
    """

    centres: Tensor

    def __init__(
        self,
        *,
        channels: int,
        num_groups: int = 64,
        widths: Sequence[int] = (48, 64, 96),
        kernel_size: int = 25,
        softness: float = 0.25,
        dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, channels=channels)
        if num_groups < 2 or kernel_size % 2 == 0 or not 0 <= softness <= 0.5:
            told = f"ISBA has num_groups {num_groups}, kernel_size {kernel_size} and softness {softness}"
            raise InputError(f"{told}: give 2 groups or more, an odd kernel, and a softness of 0 to 0.5")
        self.register_buffer("centres", torch.zeros(num_groups, channels))
        self.softness = softness
        self.pyramid = FeaturePyramid(channels, num_groups, widths, kernel_size, dropout)
        self.assigned: dict[str, list[int]] = {}
        self._told_of_others = False

    def fit(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> None:
        """Group the frames.

        Raises:
            InputError: If the features have other channels, or there are fewer frames than groups.
        """
        self.centres.copy_(frame_centres(self.checked(samples), *self.centres.shape))

    def loss(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        """Cross entropy with the soft targets, the mean over frames, then over the batch."""
        losses = []
        for features, sample in zip(inputs, data_samples):
            labels = transcript(features, sample.boundaries.to(features.device), self.centres)
            shares = soft_shares(self.boundaries_of(sample), len(features), self.softness).to(features.device)
            targets = shares @ functional.one_hot(labels, len(self.centres)).float()
            losses.append(-(targets * self.pyramid(features)).sum(dim=1).mean())
        return {"loss_frame": torch.stack(losses).mean()}

    @torch.no_grad()
    def assign(self, samples: Iterable[tuple[Tensor, TemporalSample]]) -> dict[str, list[int]]:
        """What is ``assigned`` in the next round, by key of the instance."""
        found = {}
        for features, sample in self.checked(samples):
            features = features.to(self.centres.device)
            labels = transcript(features, sample.boundaries.to(features.device), self.centres)
            scores = self.pyramid(features)[:, labels]
            found[sample.key] = [*moved_boundaries(scores.cpu(), self.boundaries_of(sample)).tolist(), len(features)]
        return found

    def boundaries_of(self, sample: TemporalSample) -> Tensor:
        """(B,) that are assigned to an instance at present; evenly spaced ones if there are none that fit it."""
        held = self.assigned.get(sample.key)
        if held is not None and len(held) == len(sample.boundaries) + 1 and held[-1] == sample.num_frames:
            return torch.tensor(held[:-1], dtype=torch.int64)
        if held is not None and not self._told_of_others:
            self._told_of_others = True
            told = f"what ISBA has assigned to {sample.key} is of other frames or sub-actions than it has now"
            print_log(f"{told}: it begins anew; leave max_frames out of the data set", "current", logging.WARNING)
        return torch.from_numpy(even_boundaries(sample.num_frames, len(sample.boundaries)))

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        return Parsing(boundaries_of_changes(self.pyramid(features).argmax(dim=1)))


class FeaturePyramid(nn.Module):
    """Labels of frames at several scales: down by halves, up with lateral connections, the mean of all levels.

    Args:
        channels: D.
        num_labels: K.
        widths: Channels of the levels.
        kernel_size: Frames that a convolution sees.
        dropout: Of whole channels.
    """

    def __init__(self, channels: int, num_labels: int, widths: Sequence[int], kernel_size: int, dropout: float) -> None:
        super().__init__()
        entries, width, padding = [channels, *widths], widths[0], kernel_size // 2
        self.down = nn.ModuleList(
            nn.Conv1d(below, above, kernel_size, padding=padding) for below, above in zip(entries, entries[1:])
        )
        # From the top level down to the frames themselves.
        self.lateral = nn.ModuleList(nn.Conv1d(entry, width, 1) for entry in reversed(entries))
        self.up = nn.ModuleList(nn.Conv1d(width, width, kernel_size, padding=padding) for _ in widths)
        self.scores = nn.ModuleList(nn.Conv1d(width, num_labels, 1) for _ in entries)
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(T, K) log probabilities of an instance (T, D)."""
        levels = [features.T[None]]
        for down in self.down:
            values = normalised_relu(self.dropout(down(levels[-1])))
            # Rounded up, so that a single frame stays one.
            levels.append(functional.max_pool1d(values, 2, ceil_mode=True))
        merged = self.lateral[0](levels[-1])
        told = [self._scores(0, merged, len(features))]
        for number, level in enumerate(reversed(levels[:-1]), start=1):
            wider = functional.interpolate(merged, size=level.shape[-1], mode="nearest")
            merged = self.up[number - 1](wider + self.lateral[number](level))
            told.append(self._scores(number, merged, len(features)))
        return torch.stack(told).logsumexp(dim=0) - math.log(len(told))

    def _scores(self, number: int, merged: Tensor, length: int) -> Tensor:
        """(T, K) log probabilities of one level."""
        scores = widened(self.scores[number](self.dropout(merged))).log_softmax(dim=1)
        return functional.interpolate(scores, size=length, mode="nearest")[0].T


def normalised_relu(values: Tensor) -> Tensor:
    """A rectifier whose output is divided by the greatest channel of the frame (Lea et al. 2017).

    Args:
        values: (N, channels, T).
    """
    values = values.relu()
    return values / (values.amax(dim=1, keepdim=True) + 1e-5)


def transcript(features: Tensor, boundaries: Tensor, centres: Tensor) -> Tensor:
    """The labels (A,) int64 of an instance's sub-actions in order, see :class:`ISBA`; neighbours differ.

    Of equally frequent clusters, those that do not occur among them, it is the one nearest to the frames' mean.

    Args:
        features: (T, D).
        boundaries: (B,) annotated ones.
        centres: (K, D), K of 2 or more.
    """
    groups, segments = nearest_centres(features, centres), segment_ids(boundaries, len(features))
    labels: list[int] = []
    for segment in range(len(boundaries) + 1):
        chosen = segments == segment
        votes = torch.bincount(groups[chosen], minlength=len(centres)).double()
        distance = torch.cdist(features[chosen].mean(dim=0, keepdim=True), centres)[0].double()
        votes -= 0.5 * distance / distance.max().clamp(min=1e-12)  # below a vote
        if labels:
            votes[labels[-1]] = -torch.inf
        labels.append(int(votes.argmax()))
    return torch.tensor(labels, device=features.device)


def soft_shares(boundaries: Tensor, length: int, softness: float) -> Tensor:
    """How much each frame is of each sub-action: (T, A), rows sum to 1.

    At a boundary the share goes linearly from one sub-action to the next, over ``softness`` times the shorter of the
    two on either side; at least half a frame, which is a hard change.

    Args:
        boundaries: (B,) strictly rising.
        length: T.
        softness: 0 to 0.5, so that two changes never overlap.
    """
    edges = torch.cat([torch.tensor([0]), boundaries, torch.tensor([length])])
    lengths = edges.diff()
    reach = (softness * torch.minimum(lengths[:-1], lengths[1:])).clamp(min=0.5)
    centres = torch.arange(length)[:, None] + 0.5
    begun = ((centres - boundaries + reach) / (2 * reach)).clamp(0, 1)
    whole = torch.ones(length, 1)
    return torch.cat([whole, begun], dim=1) - torch.cat([begun, 0 * whole], dim=1)


def moved_boundaries(scores: Tensor, boundaries: Tensor) -> Tensor:
    """Each boundary where the scores want it, between the middles of the two sub-actions that it parts: (B,) int64.

    Args:
        scores: (T, A) log probability of each sub-action's label at each frame.
        boundaries: (B,) the present ones, strictly rising; so are the new ones.
    """
    edges = [0, *boundaries.tolist(), len(scores)]
    moved = []
    for place, (start, boundary, end) in enumerate(zip(edges, edges[1:], edges[2:])):
        first, last = (start + boundary) // 2, (boundary + end) // 2
        gains = (scores[first:last, place] - scores[first:last, place + 1]).cumsum(dim=0)
        moved.append(first + 1 + int(gains.argmax()))
    return torch.tensor(moved, dtype=torch.int64)
