"""TSN on eight frames along the sub-actions that TCN finds; the rest is the parent's.

Source: TAPOS (2020), table 4, row "TCN", RGB: top-1 81.79 %, mean of classes 81.10 % in the paper.

    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_tcn.py 8
    python tools/test.py configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_tcn.py CHECKPOINT

Data: as for the parent, and the run of the config that segments_from names. Hardware: as for the parent.
"""

_base_ = "tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py"

title = "tsn, along TCN's sub-actions"
segments_from = "{{ fileDirname }}/../temporal_parsing/tcn_tapos.py"
train_dataloader = dict(dataset=dict(segments="@segments/train.json"))
test_dataloader = dict(dataset=dict(segments="@segments/test.json"))
