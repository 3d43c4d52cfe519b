"""Video recognizers that also give the video's feature."""

from .feature_recognizer import FeatureRecognizer, FeatureRecognizer2D
from .multi_view import MultiViewRecognizer

__all__ = ["FeatureRecognizer", "FeatureRecognizer2D", "MultiViewRecognizer"]
