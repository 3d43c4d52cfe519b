"""Part-level action parsing: persons, ten body parts, the state of each part, and the action they show."""

from .compat import apply_mends
from .version import __version__

apply_mends()

__all__ = ["__version__"]
