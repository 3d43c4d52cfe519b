"""Pose networks."""

from .batch_pose_estimator import BatchPoseEstimator
from .decoding import decode_heatmaps, to_frames

__all__ = ["BatchPoseEstimator", "decode_heatmaps", "to_frames"]
