"""TSN on flow along the annotated sub-actions; the rest is the parent's.

Source: TAPOS (2020), table 1, row "aligned": top-1 93.80 %, mean of classes 91.73 % in the paper, of RGB and flow
together.

    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-340e_tapos-5x1x8-flow_aligned.py 8

Data: as for the parent. Hardware: as for the parent.
"""

_base_ = "tapos_tsn-bn-inception_8xb32-340e_tapos-5x1x8-flow.py"

title = "tsn, flow, along true sub-actions"
train_dataloader = dict(dataset=dict(segments="truth"))
test_dataloader = dict(dataset=dict(segments="truth"))
