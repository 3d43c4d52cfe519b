"""The runner-up's part states on two cores, second network: ir-CSN tells a part group's most frequent state.

    python tools/train.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_bn.py
    python tools/train.py configs/quick/state_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_video.py \
        --cfg-options group=arm --work-dir work_dirs/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_video-arm
    python tools/test.py configs/quick/state_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_video.py \
        --cfg-options group=arm --work-dir work_dirs/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_video-arm

Training starts from the backbone of the first command. One config for six networks: group is head, arm, hand, hip, leg
or foot. A label is a pair of action and state. Data: a synthetic data set. Hardware: two CPU cores, some twenty
seconds a network.
"""

_base_ = "../action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb.py"

title = "ir-csn, states of a video"
group, seconds = "head", None
model = dict(cls_head=dict(num_classes="@num_labels"))
segments = dict(type="EqualSegments", seconds="@seconds")
dataset = dict(type="TPSSegmentDataset", group="@group", label_table="@label_table", segments=segments)
train_dataloader = test_dataloader = dict(dataset=dataset)
test_evaluator = dict(_delete_=True, type="StateAccuracy")
train_cfg = dict(max_epochs=4)
