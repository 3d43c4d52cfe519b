"""Backbones that no OpenMMLab package registers in the form wanted here."""

from .bn_inception import BNInception
from .vgg import VGG

__all__ = ["BNInception", "VGG"]
