"""Part relevance and multi-label part states from whole frames."""

from .layers import PartwiseLinear, RoIEmbedding
from .losses import binary_relevance_loss, multi_label_state_loss
from .objects import choose_objects, object_scores_of
from .part_state_net import FrameStates, PartStateNet

__all__ = [
    "FrameStates",
    "PartStateNet",
    "PartwiseLinear",
    "RoIEmbedding",
    "binary_relevance_loss",
    "choose_objects",
    "multi_label_state_loss",
    "object_scores_of",
]
