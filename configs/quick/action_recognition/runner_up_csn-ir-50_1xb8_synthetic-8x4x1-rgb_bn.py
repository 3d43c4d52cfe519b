"""ir-CSN on two cores whose batch norm is trained, from nothing.

Source: the network with frozen batch norm starts from this one's backbone, as that of the full size starts from
Sports-1M. Row 1 of table 5 in the 2021 runner-up's report is such a network: ir-CSN-152 from scratch, top-1 57.50 % on
the test set of Kinetics-TPS.

    python tools/train.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_bn.py
    python tools/test.py configs/quick/action_recognition/runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb_bn.py

Data: a synthetic data set. Hardware: two CPU cores, some two minutes.
"""

_base_ = "runner_up_csn-ir-50_1xb8_synthetic-8x4x1-rgb.py"

title = "ir-csn, moving batch norm"
start_from = None
model = dict(backbone=dict(norm_eval=False, bn_frozen=False))
train_cfg = dict(max_epochs=25)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
