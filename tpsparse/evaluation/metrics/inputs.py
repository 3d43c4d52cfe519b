"""What metrics are given, in the form that the functions want."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from ...errors import InputError
from ...taxonomy import Taxonomy


class TaxonomyMetric(BaseMetric):
    """A metric that knows the names.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    def __init__(
        self, *, taxonomy: dict[str, Any] | None = None, collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self._taxonomy = taxonomy

    @property
    def taxonomy(self) -> Taxonomy:
        """The names of this run.

        Raises:
            InputError: If neither the metric nor its data set has them.
        """
        return taxonomy_of(self, self._taxonomy)


def taxonomy_of(metric: BaseMetric, meta: dict[str, Any] | None) -> Taxonomy:
    """The names in ``meta``, else those of the metric's data set.

    Raises:
        InputError: If neither has them.
    """
    meta = meta or (metric.dataset_meta or {}).get("taxonomy")
    if meta is None:
        name = type(metric).__name__
        raise InputError(f"{name} has no taxonomy: give it one, or use a data set whose metainfo has it")
    return Taxonomy.from_meta(meta)


def to_numpy(values: Any) -> np.ndarray:
    """The values of a tensor on any device, of mmdet's wrapped boxes, or of anything that makes an array."""
    values = getattr(values, "tensor", values)
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
