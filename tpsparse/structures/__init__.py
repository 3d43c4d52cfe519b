"""The record that flows through a parsing run, and boxes."""

from .boxes import box_area, clip_boxes, flip_boxes, is_present, pairwise_iou
from .parse import FrameParse, VideoParse

__all__ = ["FrameParse", "VideoParse", "box_area", "clip_boxes", "flip_boxes", "is_present", "pairwise_iou"]
