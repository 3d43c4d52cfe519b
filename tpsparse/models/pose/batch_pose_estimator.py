"""A top-down pose estimator of mmpose's that finds the keypoints of a whole batch in tensors.

Shapes: N persons, J keypoints, h x w pixels of a crop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.models import HeatmapHead, TopdownPoseEstimator
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.structures import PoseDataSample
from torch import Tensor

from ...registry import MODELS
from .decoding import decode_heatmaps, to_frames

CENTRE = 0.5
"""Of a pixel, in continuous coordinates; mmpose has it at whole numbers."""


@MODELS.register_module()
class BatchPoseEstimator(TopdownPoseEstimator):
    """mmpose's ``TopdownPoseEstimator``, to which :meth:`predict_keypoints` is added; all else is mmpose's.

    With heatmaps of the codec ``MSRAHeatmap`` that are not refined (``unbiased``) all persons are decoded at once; with
    other heads and codecs they are decoded by mmpose, one after the other.
    """

    def keypoints_step(self, data: dict[str, Any]) -> Tensor:
        """:meth:`predict_keypoints` of a batch that is not normalised yet, as ``test_step`` takes it."""
        return self.predict_keypoints(**self.data_preprocessor(data, False))

    def predict_keypoints(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> Tensor:
        """Keypoints (N, J, 3) float32 of persons: x and y in continuous pixels of the frame, and the score in [0, 1].

        The score is the height of the heatmap's peak, which may leave [0, 1] by a little, and is cut to it. The numbers
        are those of ``predict``, but for the half pixel by which mmpose's coordinates differ, and the cut.

        Args:
            inputs: (N, 3, h, w), normalised.
            data_samples: N samples, as packed by ``mmpose.PackPoseInputs``.
        """
        if not data_samples:
            return inputs.new_zeros(0, self.head.out_channels, 3)
        if not self._is_plain():
            points, scores = _of_samples(self.predict(inputs, data_samples), inputs)
        else:
            places, scores = decode_heatmaps(self._heatmaps(inputs, data_samples))
            points = to_frames(places, **self._geometry(data_samples, inputs.device))
        return torch.cat([points + CENTRE, scores[..., None].clamp(0, 1)], dim=-1)

    def _is_plain(self) -> bool:
        """Whether the network is decoded here."""
        head, given = self.head, self.test_cfg
        plain = type(head) is HeatmapHead and type(head.decoder) is MSRAHeatmap and not head.decoder.unbiased
        return plain and given.get("output_keypoint_indices") is None

    def _heatmaps(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> Tensor:
        """(N, J, h', w'), the mean of the crop's and the mirrored crop's with ``flip_test``."""
        heatmaps = self.head.forward(self.extract_feat(inputs))
        if not self.test_cfg.get("flip_test", False):
            return heatmaps
        mirrored = flip_heatmaps(
            self.head.forward(self.extract_feat(inputs.flip(-1))),
            flip_mode=self.test_cfg.get("flip_mode", "heatmap"),
            flip_indices=data_samples[0].metainfo["flip_indices"],
            shift_heatmap=self.test_cfg.get("shift_heatmap", False),
        )
        return (heatmaps + mirrored) * 0.5

    def _geometry(self, data_samples: list[PoseDataSample], device: torch.device) -> dict[str, Tensor]:
        """Where the crops lie in their frames, for :func:`to_frames`."""
        arrays = dict(
            scale=self.head.decoder.scale_factor,
            size=np.array(data_samples[0].input_size),
            centres=np.stack([sample.input_center for sample in data_samples]),
            shown=np.stack([sample.input_scale for sample in data_samples]),
        )
        return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def _of_samples(data_samples: list[PoseDataSample], like: Tensor) -> tuple[Tensor, Tensor]:
    """Points (N, J, 2) and scores (N, J) of mmpose's results, on the device of a tensor."""
    persons = [sample.pred_instances for sample in data_samples]
    points = np.concatenate([np.asarray(person.keypoints, dtype=np.float32)[..., :2] for person in persons])
    scores = np.concatenate([np.asarray(person.keypoint_scores, dtype=np.float32) for person in persons])
    return torch.from_numpy(points).to(like.device), torch.from_numpy(scores).to(like.device)
