"""Whole systems from their configs: networks trained, features saved, tested, drawn; and tables of several of them.

``workplace`` remembers what was done in a folder; ``networks`` trains and measures single networks, ``training``
several side by side; ``system`` puts one system's steps in order, ``reweighing`` weighs its action scores anew;
``study`` compares systems and networks over seeds, and ``tables`` prints that.
"""

from .networks import Network
from .study import Study
from .system import Reproduction
from .training import train_side_by_side
from .workplace import Workplace, data_digest

__all__ = ["Network", "Reproduction", "Study", "Workplace", "data_digest", "train_side_by_side"]
