"""Fusion of features of frames, persons and videos into an action."""

from .multi_modal import MultiModalFusion
from .preprocessor import FeaturePreprocessor

__all__ = ["FeaturePreprocessor", "MultiModalFusion"]
