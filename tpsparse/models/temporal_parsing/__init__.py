"""Methods that parse an action instance into sub-actions: one file and one config each."""

from .base import Parsing, TemporalParser
from .ctm import CTM
from .floors import EvenBoundaries, NoBoundary
from .isba import ISBA
from .kmeans import KMeansParser
from .sps import SPSUnit
from .tcn import BoundaryTCN
from .transparser import TransParser

__all__ = [
    "BoundaryTCN",
    "CTM",
    "EvenBoundaries",
    "ISBA",
    "KMeansParser",
    "NoBoundary",
    "Parsing",
    "SPSUnit",
    "TemporalParser",
    "TransParser",
]
