"""Person detectors."""

from .action_cascade_rcnn import ActionCascadeRCNN
from .action_heads import ActionRCNNHead, GlobalContextHead

__all__ = ["ActionCascadeRCNN", "ActionRCNNHead", "GlobalContextHead"]
