"""Parsing runs: a row of stages that fill the record of a video."""

from .actions import ClassifyVideo, EnsembleActions, FuseFeatures
from .base import Stage, check_row
from .boxes import GrowBoxes
from .frame_encoder import FrameEncoder
from .frame_parts import DetectPartsAndObjects
from .most_frequent import MostFrequentStates, most_frequent_states
from .network import TrainedNetwork, load_network, load_weights
from .parser import ActionParser
from .part_states import ParsePartStates
from .parts import ParseParts
from .persons import DetectPersons
from .pose import EstimatePose, EstimatePoseMediaPipe
from .saved import ReadAnnotation, ReadParse
from .segments import ClassifySegments, EnsembleStates

__all__ = [
    "ActionParser",
    "ClassifySegments",
    "ClassifyVideo",
    "DetectPartsAndObjects",
    "DetectPersons",
    "EnsembleActions",
    "EnsembleStates",
    "EstimatePose",
    "EstimatePoseMediaPipe",
    "FrameEncoder",
    "FuseFeatures",
    "GrowBoxes",
    "MostFrequentStates",
    "ParsePartStates",
    "ParseParts",
    "ReadAnnotation",
    "ReadParse",
    "Stage",
    "TrainedNetwork",
    "check_row",
    "load_network",
    "load_weights",
    "most_frequent_states",
]
