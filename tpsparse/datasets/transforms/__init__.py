"""Transforms of samples, for the pipelines of the task data sets."""

from .boxes import LoadBoxes, SwapSides
from .clips import DecodeFrames
from .crop import CropPerson, FlipPerson, JitterBox, JitterColor, PackPart, PackPartBoxes
from .features import PackFeatures
from .flow import DecodeFlow, FormatFlow
from .frame_parts import CropFrame, FlipFrame, PackFrameParts, ScaleFrame
from .instances import PackInstance, SampleAlongSegments
from .paint import PaintKeypoints

__all__ = [
    "CropFrame",
    "CropPerson",
    "DecodeFlow",
    "DecodeFrames",
    "FlipFrame",
    "FlipPerson",
    "FormatFlow",
    "JitterBox",
    "JitterColor",
    "LoadBoxes",
    "PackFeatures",
    "PackFrameParts",
    "PackInstance",
    "PackPart",
    "PackPartBoxes",
    "PaintKeypoints",
    "SampleAlongSegments",
    "SwapSides",
    "ScaleFrame",
]
