"""Parsing-HRNet, its two modules and the mask codec."""

from .codec import PartMaskCodec
from .heads import PartParsingModule, StateParsingModule
from .parsing_hrnet import CropParse, ParsingHRNet

__all__ = ["CropParse", "ParsingHRNet", "PartMaskCodec", "PartParsingModule", "StateParsingModule"]
