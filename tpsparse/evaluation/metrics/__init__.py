"""Metrics of mmengine's evaluator: they collect what a run gives and call the functions that measure it."""

from .box_metric import PersonAPMetric
from .counts import ActionAccuracy, ParseCount
from .parsed import ParsedPersonAP, ParsedStateAccuracy
from .part_metric import PartParsingMetric
from .state_metric import StateAccuracy
from .tps_metric import KineticsTPSMetric

__all__ = [
    "ActionAccuracy",
    "KineticsTPSMetric",
    "ParseCount",
    "ParsedPersonAP",
    "ParsedStateAccuracy",
    "PartParsingMetric",
    "PersonAPMetric",
    "StateAccuracy",
]
