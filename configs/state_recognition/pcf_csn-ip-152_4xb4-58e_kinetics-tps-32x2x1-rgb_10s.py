"""PCF part states at less cost: ip-CSN-152 tells the state that a part group most often has in 10 s of video.

Source: Chen et al., Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework (PCF, 2022), row 3 of table
III: accuracy head 92.44 %, arm 67.69 %, hand 68.10 %, hip 83.99 %, leg 65.59 %, foot 65.02 %.

    bash tools/dist_train.sh configs/state_recognition/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_10s.py 4 \
        --cfg-options group=arm --work-dir work_dirs/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_10s-arm
    python tools/test.py configs/state_recognition/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_10s.py \
        --cfg-options group=arm --work-dir work_dirs/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_10s-arm

One config for six networks: group is head, arm, hand, hip, leg or foot. A label is a pair of action and state.
Data: Kinetics-TPS in the official layout. Hardware: as for the base config.
"""

_base_ = "../action_recognition/pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"

group = "head"
seconds = 10.0
model = dict(cls_head=dict(num_classes="@num_labels"))
segments = dict(type="EqualSegments", seconds="@seconds")
dataset = dict(type="TPSSegmentDataset", group="@group", label_table="@label_table", segments=segments)
train_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
test_evaluator = dict(_delete_=True, type="StateAccuracy")
