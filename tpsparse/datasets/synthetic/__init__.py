"""Synthetic data sets: drawn people with exact boxes and part states, and sports with exact sub-actions."""

from .sports_writer import write_sports
from .writer import write_dataset

__all__ = ["write_dataset", "write_sports"]
