"""COCO's keypoints by name, and their mirror."""

import numpy as np

from tpsparse.structures.keypoints import FLIP_KEYPOINTS, KEYPOINTS, flip_keypoints


def test_twins_by_name():
    twins = {KEYPOINTS[i]: KEYPOINTS[j] for i, j in enumerate(FLIP_KEYPOINTS)}
    assert len(KEYPOINTS) == 17
    assert twins["nose"] == "nose"
    assert twins["left_ear"] == "right_ear"
    assert twins["right_ankle"] == "left_ankle"
    assert (FLIP_KEYPOINTS[FLIP_KEYPOINTS] == np.arange(17)).all()


def test_mirrored_places():
    keypoints = np.zeros((1, 17, 3), dtype=np.float32)
    keypoints[0, KEYPOINTS.index("left_wrist")] = (3, 5, 0.5)
    flipped = flip_keypoints(keypoints, 10)
    assert flipped[0, KEYPOINTS.index("right_wrist")].tolist() == [7, 5, 0.5]
    assert flipped[0, KEYPOINTS.index("left_wrist")].tolist() == [10, 0, 0]
    assert (flip_keypoints(flipped, 10) == keypoints).all()
    assert keypoints[0, KEYPOINTS.index("left_wrist"), 0] == 3  # the caller's array is left alone
