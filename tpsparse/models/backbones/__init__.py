"""Backbones that no OpenMMLab package registers in the form wanted here."""

from .vgg import VGG

__all__ = ["VGG"]
