"""Transforms of samples, for the pipelines of the task data sets."""

from .clips import DecodeFrames
from .crop import CropPerson, FlipPerson, JitterBox, JitterColor, PackPart
from .features import PackFeatures
from .persons import LoadPersons

__all__ = [
    "CropPerson",
    "DecodeFrames",
    "FlipPerson",
    "JitterBox",
    "JitterColor",
    "LoadPersons",
    "PackFeatures",
    "PackPart",
]
