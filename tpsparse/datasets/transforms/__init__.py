"""Transforms of samples, for the pipelines of the task data sets."""

from .clips import DecodeFrames
from .crop import CropPerson, FlipPerson, JitterBox, JitterColor, PackPart, PackPartBoxes
from .features import PackFeatures
from .flow import DecodeFlow, FormatFlow
from .paint import PaintKeypoints
from .persons import LoadPersons

__all__ = [
    "CropPerson",
    "DecodeFlow",
    "DecodeFrames",
    "FlipPerson",
    "FormatFlow",
    "JitterBox",
    "JitterColor",
    "LoadPersons",
    "PackFeatures",
    "PackPart",
    "PackPartBoxes",
    "PaintKeypoints",
]
