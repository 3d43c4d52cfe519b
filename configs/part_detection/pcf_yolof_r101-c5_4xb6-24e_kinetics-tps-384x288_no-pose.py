"""PCF, table II, "YOLOF part" without pose: the crop as it is. AP 36.40, AP50 53.10 in the report.

    python tools/train.py configs/part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288_no-pose.py
    python tools/test.py configs/part_detection/pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288_no-pose.py CHECKPOINT

Data: Kinetics-TPS in the official layout alone. Hardware and weights: as for the parent.
"""

_base_ = "pcf_yolof_r101-c5_4xb6-24e_kinetics-tps-384x288.py"

train_pipeline = [step for step in _base_.train_pipeline if step != _base_.paint]
test_pipeline = [step for step in _base_.test_pipeline if step != _base_.paint]
train_dataloader = dict(dataset=dict(keypoints=None, pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(keypoints=None, pipeline=test_pipeline))
