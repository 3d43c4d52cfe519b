"""TSN on eight frames along the sub-actions that ISBA finds, on two cores; the rest is the parent's.

    python tools/train.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_isba.py
    python tools/test.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_isba.py

Data: as for the parent, and the run of the config that segments_from names. Hardware: as for the parent.
"""

_base_ = "tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py"

title = "tsn, along ISBA's sub-actions"
segments_from = "{{ fileDirname }}/../temporal_parsing/isba_k64_synthetic.py"
train_dataloader = dict(dataset=dict(segments="@segments/train.json"))
test_dataloader = dict(dataset=dict(segments="@segments/test.json"))
