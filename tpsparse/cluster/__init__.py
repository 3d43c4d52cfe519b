"""Collections of any number of videos, parsed by workers on one machine or a cluster."""

from .folder import Folder, Item
from .listing import Collection
from .run import parse_collection

__all__ = ["Collection", "Folder", "Item", "parse_collection"]
