"""TSN on eight frames along the annotated sub-actions; the rest is the parent's.

Source: TAPOS (2020), table 1, row "aligned", RGB: top-1 88.83 %, mean of classes 86.22 % in the paper, which does not
say how many frames a sub-action gets: see SampleAlongSegments.

    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_aligned.py 8
    python tools/test.py configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_aligned.py CHECKPOINT

Data: as for the parent. Hardware: as for the parent.
"""  # noqa: E501 - the names of configs

_base_ = "tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py"

title = "tsn, along true sub-actions"
train_dataloader = dict(dataset=dict(segments="truth"))
test_dataloader = dict(dataset=dict(segments="truth"))
