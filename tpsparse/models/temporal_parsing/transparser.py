"""TransParser (Intra- and Inter-Action Understanding via Temporal Action Parsing, CVPR 2020, section 5.2, figure 5).

Shapes: N instances, T frames of one, D channels, M patterns, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...registry import MODELS
from ...structures.temporal import TemporalSample, boundaries_of_changes
from ..losses import mean_over_processes
from .base import Parsing, TemporalParser
from .local_loss import local_loss
from .sps import SPSUnit


@MODELS.register_module()
class TransParser(TemporalParser):
    """SPS units in a row; a sub-action begins where the most active pattern of the last unit changes.

    With two units, the paper's choice, the responses of the second are alpha' of equations 4 and 5, computed on the
    refined features of the first, and its refined features are those of equation 6. With one unit both are its own.

    The paper names neither lambda nor the weights of the two losses: chosen here, with AdamW and gradients clipped at a
    norm of 5, since the ratio of equation 3 is steep while all responses are alike.

    Args:
        channels: D.
        num_actions: A.
        num_units: Of SPS units.
        unit: Options of each :class:`SPSUnit`.
        local_weight: Of the local loss; with 0 it is left out.
        regularizer: Lambda of equation 3 (the word is Python's own).
        window: Frames, an odd number, over which responses are averaged before the most active pattern is chosen. The
            paper's is 1: every flicker of the pattern is a boundary.
        init_cfg: Weights, as in every mmengine module.

    Raises:
        ValueError: If there is no unit, lambda is not above 0, the weight is below 0 or the window not odd.
    """

    def __init__(
        self,
        channels: int,
        num_actions: int,
        *,
        num_units: int = 2,
        unit: dict[str, Any] | None = None,
        local_weight: float = 1.0,
        regularizer: float = 0.5,
        window: int = 1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, channels=channels)
        if num_units < 1:
            raise ValueError(f"num_units is {num_units}, expected at least 1")
        if local_weight < 0 or regularizer <= 0:
            told = f"local_weight is {local_weight} and regularizer {regularizer}"
            raise ValueError(f"{told}, expected at least 0 and above 0")
        if window < 1 or window % 2 == 0:
            raise ValueError(f"window is {window}, expected an odd number of at least 1 frame")
        self.window = window
        self.local_weight, self.regularizer = local_weight, regularizer
        self.units = nn.ModuleList(SPSUnit(channels, **(unit or {})) for _ in range(num_units))
        self.classifier = nn.Linear(channels, num_actions, bias=False)  # equation 6 has W alone

    def refine(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Refined features (T, D) and responses (T, M) of the last unit, from features (T, D)."""
        responses = frames
        for unit in self.units:
            frames, responses = unit(frames)
        return frames, responses

    def parse(self, features: Tensor) -> Parsing:
        """Boundaries where the representative pattern changes, the first of equals, with the responses (T, M)."""
        _, responses = self.refine(features)
        # At the ends the mean is over the frames that there are.
        smooth = functional.avg_pool1d(
            responses.T[None], self.window, stride=1, padding=self.window // 2, count_include_pad=False
        )
        return Parsing(boundaries_of_changes(smooth[0].argmax(dim=0)), responses=responses)

    def loss(self, inputs: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        """``loss_global`` (equation 6), ``loss_local`` (equation 3), and ``acc_action`` (per cent of the labelled).

        Either loss is a mean over the instances that have one, those of all processes: an instance without a label has
        no global loss, one without an inner boundary no local loss.
        """
        lengths = [len(features) for features in inputs]
        refined, responses = self.refine(torch.cat(list(inputs)))
        losses = self._global_loss(refined.split(lengths), data_samples)
        if self.local_weight > 0:
            losses["loss_local"] = self._local_loss(responses.split(lengths), data_samples)
        return losses

    def _global_loss(self, refined: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> dict[str, Tensor]:
        # The classifier is linear: the mean of the frames' logits is the logits of their mean, at a T-th of the cost.
        logits = self.classifier(torch.stack([frames.mean(dim=0) for frames in refined]))
        labels = torch.tensor([sample.metainfo["label"] for sample in data_samples], device=logits.device)
        known = mean_over_processes((labels >= 0).sum())
        total = functional.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
        right = (logits.argmax(dim=1) == labels).sum()
        return {"loss_global": total / known, "acc_action": 100.0 * right / known}

    def _local_loss(self, responses: Sequence[Tensor], data_samples: Sequence[TemporalSample]) -> Tensor:
        each = [local_loss(one, sample.boundaries, self.regularizer) for one, sample in zip(responses, data_samples)]
        count = torch.tensor(sum(len(sample.boundaries) > 0 for sample in data_samples), device=each[0].device)
        return self.local_weight * torch.stack(each).sum() / mean_over_processes(count)
