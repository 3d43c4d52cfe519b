"""The 2021 runner-up's part states, second network: ir-CSN-152 tells a part group's most frequent state in a video.

Source: 2nd place solution to the Kinetics-TPS track, ICCV DeeperAction workshop 2021, section 1.3 and table 2: top-1
on 809 held-out training videos head 86.31 %, hand 59.48 %, arm 55.60 %, hip 77.52 %, leg 59.30 %, foot 61.24 %.

    bash tools/dist_train.sh configs/state_recognition/runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb_video.py \
        4 --cfg-options group=arm --work-dir work_dirs/runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb_video-arm
    python tools/test.py configs/state_recognition/runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb_video.py \
        --cfg-options group=arm --work-dir work_dirs/runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb_video-arm

One config for six networks: group is head, arm, hand, hip, leg or foot. A label is a pair of action and state.
Data: Kinetics-TPS in the official layout. Hardware: as for the base config.
"""

_base_ = "../action_recognition/runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"

group = "head"
seconds = None
model = dict(cls_head=dict(num_classes="@num_labels"))
segments = dict(type="EqualSegments", seconds="@seconds")
dataset = dict(type="TPSSegmentDataset", group="@group", label_table="@label_table", segments=segments)
train_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
test_evaluator = dict(_delete_=True, type="StateAccuracy")
