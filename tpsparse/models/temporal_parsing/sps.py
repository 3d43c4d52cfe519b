"""The soft-pattern-strengthen unit (TransParser, CVPR 2020, section 5.2, equations 1 and 2, figure 6).

Shapes: T frames, of one instance or of several one after the other, D channels, M patterns, H heads of C channels.
"""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn


class SPSUnit(BaseModule):
    """Compare every frame with learned patterns, and strengthen in its features what it shares with them.

    Equations 1 and 2 by each head, with queries of the frames, keys and values of the pattern miner; one linear layer
    over the joined heads gives r, and the refined features are FFN(f + r). No frame knows another.

    The paper is silent, or leaves open, and taken is here:

    - The responses alpha are those of two heads, and one is read for the parsing: their mean over the heads.
    - M: figure 8 names pattern 16, so there are at least as many; 20, which parse artificial instances better than 32
      or 64 do.
    - C: D / H, and patterns as wide as features, both as in Vaswani et al. 2017.
    - Equation 1 has no scale. Features and patterns of unit variance then begin with dot products of a standard
      deviation of sqrt(C) / 3, which is 7.5 at D = 1024: the softmax is nearly one pattern before anything is learned.
      ``scaled`` divides by sqrt(C) as Vaswani et al. do; ``scaled=False`` is the letter of the equation, which learns
      too, but worse on artificial instances of 256 channels.
    - "A small feed-forward net as in" Vaswani et al. is taken with their residual, ``x + W2 relu(W1 x)``, their width
      4 D, and their layer norm behind either addition; without dropout. ``residual=False, norm=False`` is the letter of
      FFN(f + r) with nothing around it.

    Args:
        channels: D.
        num_patterns: M.
        pattern_channels: Of each pattern; D if not given.
        num_heads: H, two groups of projections in the paper.
        scaled: Whether dot products are divided by sqrt(C).
        ffn_channels: Between the two layers of the FFN; 4 D if not given.
        residual: Whether the FFN's input is added to its output.
        norm: Whether f + r and the output are normalised.

    Raises:
        ValueError: If D is not a multiple of H, or M is below 2.
    """

    def __init__(
        self,
        channels: int,
        *,
        num_patterns: int = 20,
        pattern_channels: int | None = None,
        num_heads: int = 2,
        scaled: bool = True,
        ffn_channels: int | None = None,
        residual: bool = True,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"{channels} channels cannot be shared evenly by {num_heads} heads")
        if num_patterns < 2:
            raise ValueError(f"num_patterns is {num_patterns}: boundaries are changes between at least 2 patterns")
        pattern_channels, hidden = pattern_channels or channels, ffn_channels or 4 * channels
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5 if scaled else 1.0
        self.residual = residual
        self.patterns = nn.Parameter(torch.randn(num_patterns, pattern_channels))
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(pattern_channels, channels, bias=False)
        self.value = nn.Linear(pattern_channels, channels, bias=False)
        self.fc = nn.Linear(channels, channels)
        self.input_norm = nn.LayerNorm(channels) if norm else nn.Identity()
        self.ffn = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.output_norm = nn.LayerNorm(channels) if norm else nn.Identity()

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Refine features (T, D).

        Returns:
            Refined features (T, D) and responses (T, M): probabilities over the patterns, the mean of the heads'.
        """
        queries, keys, values = (
            projected.unflatten(1, (self.num_heads, -1)).transpose(0, 1)
            for projected in (self.query(frames), self.key(self.patterns), self.value(self.patterns))
        )
        attention = (queries @ keys.transpose(1, 2) * self.scale).softmax(dim=-1)
        residues = self.fc((attention @ values).transpose(0, 1).flatten(1))
        strengthened = self.input_norm(frames + residues)
        refined = self.ffn(strengthened)
        if self.residual:
            refined = strengthened + refined
        return self.output_norm(refined), attention.mean(dim=0)
