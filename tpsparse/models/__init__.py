"""Networks, heads, losses and codecs; they know tensors and no records."""

from . import backbones, detectors, fusion, part_parsing, part_states, pose, recognizers, temporal_parsing

__all__ = ["backbones", "detectors", "fusion", "part_parsing", "part_states", "pose", "recognizers", "temporal_parsing"]
