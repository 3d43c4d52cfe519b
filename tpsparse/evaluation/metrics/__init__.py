"""Metrics of mmengine's evaluator: they collect what a run gives and call the functions that measure it."""

from .box_metric import PersonAPMetric
from .counts import ActionAccuracy, ParseCount
from .part_metric import PartParsingMetric
from .tps_metric import KineticsTPSMetric

__all__ = ["ActionAccuracy", "KineticsTPSMetric", "ParseCount", "PartParsingMetric", "PersonAPMetric"]
