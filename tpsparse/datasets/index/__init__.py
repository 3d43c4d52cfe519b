"""The index of a data set: what is annotated where, read once into Arrow tables and opened by memory map.

``schema`` says what the tables hold, ``annotations`` reads the official JSON by the rules of ``checks`` and ``whole``,
``scan`` sees what has changed, ``build`` joins it all by ``tables``, ``view`` is what data sets read,
``told`` what a run hears of the rest.
"""

from .build import build_index
from .summary import IndexSummary
from .view import ABSENT, TPSIndex, VideoEntry, open_index

__all__ = ["ABSENT", "IndexSummary", "TPSIndex", "VideoEntry", "build_index", "open_index"]
