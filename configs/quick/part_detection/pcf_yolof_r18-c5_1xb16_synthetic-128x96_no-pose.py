"""PCF part detector, quick, without pose: the crop as it is (table II, third row).

    python tools/train.py configs/quick/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96_no-pose.py
    python tools/test.py configs/quick/part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96_no-pose.py

Data: the synthetic data set of `make demo` alone. Hardware: as for the parent.
"""

_base_ = "pcf_yolof_r18-c5_1xb16_synthetic-128x96.py"

train_pipeline = [step for step in _base_.train_pipeline if step != _base_.paint]
test_pipeline = [step for step in _base_.test_pipeline if step != _base_.paint]
train_dataloader = dict(dataset=dict(keypoints=None, pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(keypoints=None, pipeline=test_pipeline))
