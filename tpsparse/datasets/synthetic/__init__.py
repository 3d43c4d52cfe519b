"""A synthetic data set in the official layout: drawn people, exact boxes, part states from their joint angles."""

from .writer import write_dataset

__all__ = ["write_dataset"]
