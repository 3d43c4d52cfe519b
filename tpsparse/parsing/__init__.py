"""Parsing runs: a row of stages that fill the record of a video."""

from .actions import ClassifyVideo, EnsembleActions, FuseFeatures
from .base import Stage, check_row
from .most_frequent import MostFrequentStates, most_frequent_states
from .network import TrainedNetwork, load_network, load_weights
from .parser import ActionParser
from .parts import ParseParts
from .persons import DetectPersons
from .saved import ReadParse

__all__ = [
    "ActionParser",
    "ClassifyVideo",
    "DetectPersons",
    "EnsembleActions",
    "FuseFeatures",
    "MostFrequentStates",
    "ParseParts",
    "ReadParse",
    "Stage",
    "TrainedNetwork",
    "check_row",
    "load_network",
    "load_weights",
    "most_frequent_states",
]
