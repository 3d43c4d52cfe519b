"""Detectors of persons and of their parts."""

from .action_cascade_rcnn import ActionCascadeRCNN
from .action_heads import ActionRCNNHead, GlobalContextHead
from .multi_view import MultiViewDetector
from .part_yolof import PartYOLOF
from .yolof_head import TiedYOLOFHead

__all__ = [
    "ActionCascadeRCNN",
    "ActionRCNNHead",
    "GlobalContextHead",
    "MultiViewDetector",
    "PartYOLOF",
    "TiedYOLOFHead",
]
