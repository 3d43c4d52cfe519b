"""Networks, heads, losses and codecs; they know tensors and no records."""

from . import detectors, fusion, part_parsing, recognizers

__all__ = ["detectors", "fusion", "part_parsing", "recognizers"]
