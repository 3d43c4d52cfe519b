"""What metrics are given, in the form that the functions want."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from ...errors import InputError
from ...taxonomy import Taxonomy


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
