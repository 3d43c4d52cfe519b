"""TCN: how likely each frame begins a sub-action, from two temporal convolutions. Shapes: T frames, D channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ...registry import MODELS
from ...structures.temporal import TemporalSample
from .base import Parsing, TemporalParser


@MODELS.register_module()
class BoundaryTCN(TemporalParser):
    """Boundary detection as section 6.2 of the TAPOS paper adapts it (Shao et al., CVPR 2020).

    After Lea et al. (CVPR 2017) and, for labels and loss, BSN (Lin et al., ECCV 2018): a two-layer temporal convolution
    gives each frame a score; annotated boundaries and their neighbours are labelled 1, the rest 0, and the binary cross
    entropy is weighted so that both labels weigh the same in a batch, which is BSN's weighting. Every frame whose score
    is above the threshold is a boundary: the letter of the paper, by which neighbouring frames each are one.

    The paper leaves open the width of the layers and of their kernels and how many neighbours k there are. Chosen here
    are kernels of 3 frames with a rectifier between (BSN's) and k on either side of the boundary, 5 by default, which
    is the least distance at which the paper judges.

    Args:
        channels: D.
        hidden_channels: Width of the first layer.
        kernel_size: Frames that a layer sees, odd.
        neighbours: k.
        threshold: In [0, 1); 0.5 in the paper.
        peaks: One boundary for each run of frames above the threshold, at its highest; not in the paper.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        InputError: If the kernel size is even or the threshold no probability below 1.
    """

    def __init__(
        self,
        *,
        channels: int,
        hidden_channels: int = 512,
        kernel_size: int = 3,
        neighbours: int = 5,
        threshold: float = 0.5,
        peaks: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, channels=channels)
        if kernel_size % 2 == 0:
            raise InputError(f"BoundaryTCN has a kernel of {kernel_size} frames: give an odd kernel_size")
        if not 0 <= threshold < 1:
            raise InputError(f"BoundaryTCN has threshold {threshold}: give one of at least 0 and below 1")
        self.neighbours, self.threshold = neighbours, threshold
        self.decode = peaks_above if peaks else frames_above
        self.layers = nn.Sequential(
            nn.Conv1d(channels, hidden_channels, kernel_size, padding=kernel_size // 2),
            nn.ReLU(),
            nn.Conv1d(hidden_channels, 1, kernel_size, padding=kernel_size // 2),
        )

    def logits(self, features: Tensor) -> Tensor:
        """(T,) before the sigmoid."""
        return self.layers(features.T[None])[0, 0]

    def loss(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        """The weighted binary cross entropy over the frames of a batch."""
        logits = torch.cat([self.logits(features) for features in inputs])
        labels = torch.cat(
            [
                boundary_labels(sample.boundaries.to(features.device), len(features), self.neighbours)
                for features, sample in zip(inputs, data_samples)
            ]
        )
        return {"loss_boundary": balanced_cross_entropy(logits, labels)}

    def parse(self, features: Tensor) -> Parsing:
        """See the class."""
        scores = self.logits(features).sigmoid()
        return Parsing(self.decode(scores, self.threshold), scores)


def boundary_labels(boundaries: Tensor, length: int, neighbours: int) -> Tensor:
    """(T,) float: 1 for boundaries (B,) and the frames at most ``neighbours`` away, 0 for the rest."""
    places = torch.arange(length, device=boundaries.device)
    return ((places[:, None] - boundaries[None]).abs() <= neighbours).any(dim=1).float()


def balanced_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean of the two labels' mean binary cross entropies; of one of them alone where the other does not occur.

    Args:
        logits: (T,) before the sigmoid.
        labels: (T,) 0 or 1.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    positive = labels > 0.5
    return torch.stack([losses[chosen].mean() for chosen in (positive, ~positive) if chosen.any()]).mean()


def frames_above(scores: Tensor, threshold: float) -> Tensor:
    """(B,) int64: every frame but the first whose score is above the threshold."""
    return torch.nonzero(scores[1:] > threshold).flatten() + 1


def peaks_above(scores: Tensor, threshold: float) -> Tensor:
    """(B,) int64: of each run of such frames the one with the highest score, the first of equals."""
    above = frames_above(scores, threshold)
    if not len(above):
        return above
    starts = torch.nonzero(above.diff() > 1).flatten() + 1
    runs = torch.tensor_split(above, starts.cpu())
    return torch.stack([run[scores[run].argmax()] for run in runs])
