"""Methods that parse an action instance into sub-actions: one file and one config each.

Every module of this folder is imported, so that a new file is registered without a word here.
"""

import importlib
import pkgutil

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

for _name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_name}")
