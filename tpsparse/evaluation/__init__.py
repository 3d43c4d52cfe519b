"""How good a parse is: the challenge's score, its files, and what training runs watch."""

from . import metrics

__all__ = ["metrics"]
