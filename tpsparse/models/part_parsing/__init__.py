"""Parsing-HRNet, its modules and the mask codec."""

from .codec import PartMaskCodec
from .heads import PartParsingModule, StateParsingModule
from .heatmap_heads import SharedHeatmapModule, StateHeatmapModule
from .parsing_hrnet import CropParse, ParsingHRNet

__all__ = [
    "CropParse",
    "ParsingHRNet",
    "PartMaskCodec",
    "PartParsingModule",
    "SharedHeatmapModule",
    "StateHeatmapModule",
    "StateParsingModule",
]
