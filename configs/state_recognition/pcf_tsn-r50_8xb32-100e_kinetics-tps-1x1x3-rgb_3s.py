"""PCF part states by TSN on frames: the state that a part group most often has in 3 s of video.

Source: Chen et al., Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework (PCF, 2022), section II-C;
the system PCF (TSN_RGB) of table I, score 49.23. The training is the base config's.

    bash tools/dist_train.sh configs/state_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_3s.py 8 \
        --cfg-options group=arm --work-dir work_dirs/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_3s-arm
    python tools/test.py configs/state_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_3s.py \
        --cfg-options group=arm --work-dir work_dirs/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_3s-arm

One config for six networks: group is head, arm, hand, hip, leg or foot. A label is a pair of action and state.
Data: Kinetics-TPS in the official layout. Hardware: as for the base config.
"""

_base_ = "../action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py"

group = "head"
seconds = 3.0
model = dict(cls_head=dict(num_classes="@num_labels"))
segments = dict(type="EqualSegments", seconds="@seconds")
dataset = dict(type="TPSSegmentDataset", group="@group", label_table="@label_table", segments=segments)
train_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
test_evaluator = dict(_delete_=True, type="StateAccuracy")
