"""Human poses: MediaPipe's landmarks and what they say of a body, and where in a frame people are looked for."""

from .landmarks import COCO_KEYPOINTS, LANDMARK_IDS, LANDMARKS, Pose, coco_keypoints

__all__ = ["COCO_KEYPOINTS", "LANDMARKS", "LANDMARK_IDS", "Pose", "coco_keypoints"]
