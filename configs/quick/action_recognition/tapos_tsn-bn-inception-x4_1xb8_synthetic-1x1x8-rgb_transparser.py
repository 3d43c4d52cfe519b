"""TSN on eight frames along the sub-actions that TransParser finds, on two cores; the rest is the parent's.

    python tools/train.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_transparser.py
    python tools/test.py configs/quick/action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb_transparser.py

Data: as for the parent, and the run of the config that segments_from names. Hardware: as for the parent.
"""  # noqa: E501 - the names of configs

_base_ = "tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py"

title = "tsn, along TransParser's sub-actions"
segments_from = "{{ fileDirname }}/../temporal_parsing/transparser_2xsps_1xb8_synthetic.py"
train_dataloader = dict(dataset=dict(segments="@segments/train.json"))
test_dataloader = dict(dataset=dict(segments="@segments/test.json"))
