"""TSN on eight frames along the sub-actions that TransParser finds; the rest is the parent's.

Source: TAPOS (2020), table 4, row "TransParser", RGB: top-1 84.80 %, mean of classes 83.30 % in the paper.

    bash tools/dist_train.sh configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_transparser.py 8
    python tools/test.py configs/action_recognition/tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb_transparser.py CHECKPOINT

Data: as for the parent, and the run of the config that segments_from names. Hardware: as for the parent.
"""  # noqa: E501 - the names of configs

_base_ = "tapos_tsn-bn-inception_8xb32-80e_tapos-1x1x8-rgb.py"

title = "tsn, along TransParser's sub-actions"
segments_from = "{{ fileDirname }}/../temporal_parsing/transparser_2xsps_1xb8_tapos.py"
train_dataloader = dict(dataset=dict(segments="@segments/train.json"))
test_dataloader = dict(dataset=dict(segments="@segments/test.json"))
