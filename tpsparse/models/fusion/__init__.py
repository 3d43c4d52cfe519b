"""Features of frames, persons and videos joined to an action."""

from .classifier import FeatureClassifier
from .multi_modal import MultiModalFusion
from .part_sequence import PartSequenceClassifier
from .preprocessor import FeaturePreprocessor

__all__ = ["FeatureClassifier", "FeaturePreprocessor", "MultiModalFusion", "PartSequenceClassifier"]
