"""Metrics of mmengine's evaluator: they collect what a run gives and call the functions that measure it."""

from .boundary_metric import BoundaryMetric
from .box_metric import PartObjectAPMetric, PersonAPMetric
from .counts import ActionAccuracy, ParseCount
from .feature_count import FeatureCount
from .multi_label_state import MultiLabelStateAP
from .parsed import ParsedPersonAP, ParsedStateAccuracy, ParsedStateMAP
from .part_metric import PartParsingMetric
from .state_metric import StateAccuracy
from .tps_metric import KineticsTPSMetric

__all__ = [
    "ActionAccuracy",
    "BoundaryMetric",
    "FeatureCount",
    "KineticsTPSMetric",
    "MultiLabelStateAP",
    "ParseCount",
    "ParsedPersonAP",
    "ParsedStateAccuracy",
    "ParsedStateMAP",
    "PartParsingMetric",
    "PartObjectAPMetric",
    "PersonAPMetric",
    "StateAccuracy",
]
