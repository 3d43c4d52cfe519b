"""Person detectors."""

from .action_cascade_rcnn import ActionCascadeRCNN
from .action_heads import ActionRCNNHead, GlobalContextHead
from .multi_view import MultiViewDetector

__all__ = ["ActionCascadeRCNN", "ActionRCNNHead", "GlobalContextHead", "MultiViewDetector"]
