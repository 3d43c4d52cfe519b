"""The record that flows through a parsing run, boxes, and what is written of them."""

from .boxes import box_area, clip_boxes, flip_boxes, is_present, pairwise_iou
from .export import parse_to_json
from .files import atomic_write, write_json
from .objects import FrameObjects
from .parse import FrameParse, VideoParse
from .segments import LabelTable, SegmentScores

__all__ = [
    "FrameObjects",
    "FrameParse",
    "LabelTable",
    "SegmentScores",
    "VideoParse",
    "atomic_write",
    "box_area",
    "clip_boxes",
    "flip_boxes",
    "is_present",
    "pairwise_iou",
    "parse_to_json",
    "write_json",
]
