"""TSN on eight frames along the annotated sub-actions, on two cores; the rest is the parent's.

    python tools/train.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_aligned.py
    python tools/test.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_aligned.py

Data: as for the parent. Hardware: as for the parent.
"""

_base_ = "tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py"

title = "tsn, along true sub-actions"
train_dataloader = dict(dataset=dict(segments="truth"))
test_dataloader = dict(dataset=dict(segments="truth"))
