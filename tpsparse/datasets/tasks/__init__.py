"""One data set a task: each a view of the index that yields what its network eats.

``poses`` has that of pose networks, which imports mmpose; it is loaded where it is named.
"""

from .clips import TAPOSClipDataset, TPSClipDataset, TPSSegmentDataset, clip_sample, segment_sample
from .features import TPSFeatureDataset, best_persons, feature_sample, pick_frames
from .frame_features import TPSFrameFeatureDataset
from .frame_parts import TPSFramePartsDataset
from .frames import TPSPartDataset, TPSPartObjectDataset, TPSPersonDataset
from .instances import TAPOSFeatureDataset, TAPOSInstanceDataset
from .videos import VideoDataset

__all__ = [
    "TAPOSClipDataset",
    "TAPOSFeatureDataset",
    "TAPOSInstanceDataset",
    "TPSClipDataset",
    "TPSFeatureDataset",
    "TPSFrameFeatureDataset",
    "TPSFramePartsDataset",
    "TPSPartDataset",
    "TPSPartObjectDataset",
    "TPSPersonDataset",
    "TPSSegmentDataset",
    "VideoDataset",
    "best_persons",
    "clip_sample",
    "feature_sample",
    "pick_frames",
    "segment_sample",
]
