"""Prepared inputs of a network as one tensor, and what the network is told of each of them.

Shapes: n inputs, (3, h, w) pixels of an image, V views of a video, L frames of a clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mmengine.structures import BaseDataElement
from torch import Tensor

Sample = TypeVar("Sample", bound=BaseDataElement)


@dataclass
class Batch:
    """Inputs of one size.

    Args:
        inputs: uint8 RGB, (n, 3, h, w) of images, (n, V, 3, L, h, w) of clips, (n, V, 3, h, w) of single frames.
        samples: n data samples, each as the pipeline's last transform packs it.
    """

    inputs: Tensor
    samples: list[Any]

    def __len__(self) -> int:
        """How many inputs, n."""
        return len(self.samples)


def described(sample: Sample, facts: Mapping[str, Any]) -> Sample:
    """The sample with these facts as metainfo: not copied, as ``set_metainfo`` would, so nobody may change them."""
    for name, value in facts.items():
        sample.set_field(value, name, field_type="metainfo")
    return sample
