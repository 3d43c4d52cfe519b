"""The runner-up's first recognizer on two cores: ip-CSN whose batch norm is trained, from nothing.

Source: row 1 of table 1 in the 2021 runner-up's report. The networks with frozen batch norm start from this one's
backbone, as those of the full size start from IG-65M.

    python tools/train.py configs/quick/action_recognition/runner_up_csn-ip-50_1xb8_synthetic-8x4x1-rgb_bn.py
    python tools/test.py configs/quick/action_recognition/runner_up_csn-ip-50_1xb8_synthetic-8x4x1-rgb_bn.py

Data: a synthetic data set. Hardware: two CPU cores, some two minutes.
"""

_base_ = "pcf_csn-ip-50_1xb8_synthetic-8x4x1-rgb.py"

title = "ip-csn, moving batch norm"
start_from = None
model = dict(backbone=dict(norm_eval=False, bn_frozen=False))
train_cfg = dict(max_epochs=25)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
