"""Features of a video, as the fusion network eats them.

Shapes: T frames, P persons in a frame, D channels of a feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.structures import BaseDataElement

from tpsparse.registry import TRANSFORMS

PERSON_MASK = "person_mask"


@TRANSFORMS.register_module()
class PackFeatures(BaseTransform):
    """Join a video's features to one dict by name.

    Required keys: ``frame_features`` name to (T, D), ``person_features`` T dicts name to (P, D), ``video_features``
    name to (D,), ``video``, ``action``.
    Gives ``inputs``, name to (D,), (T, D) or (T, P, D) with ``person_mask`` (T, P), and ``data_samples``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        inputs = {**results["frame_features"], **results["video_features"]}
        for name in results["person_features"][0]:
            rows = [persons[name] for persons in results["person_features"]]
            inputs[name], inputs[PERSON_MASK] = pad_persons(rows)
        sample = BaseDataElement(metainfo=dict(video=results["video"], action=results["action"]))
        return dict(inputs=inputs, data_samples=sample)


def pad_persons(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Person features of T frames as one array, with a mask of the real ones.

    Args:
        rows: T arrays (P_t, D); P_t may be 0.

    Returns:
        Features (T, P, D) float32 and mask (T, P) bool, P the greatest P_t.
    """
    most = max((len(row) for row in rows), default=0)
    mask = np.arange(most) < np.array([len(row) for row in rows], dtype=np.int64).reshape(-1, 1)
    features = np.zeros((*mask.shape, rows[0].shape[1] if rows else 0), dtype=np.float32)
    if mask.any():
        features[mask] = np.concatenate(rows)
    return features, mask
