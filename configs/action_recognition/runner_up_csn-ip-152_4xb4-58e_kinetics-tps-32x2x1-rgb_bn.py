"""The 2021 runner-up's first recognizer: ip-CSN-152 pretrained on IG-65M whose batch norm is trained.

Source: row 1 of table 1 in its report: top-1 86.57 % on the test set of Kinetics-TPS. Freezing batch norm and adding
ir-CSN-152 gave 96.78 % (row 2).

    bash tools/dist_train.sh configs/action_recognition/runner_up_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_bn.py 4
    python tools/test.py configs/action_recognition/runner_up_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_bn.py

Data: Kinetics-TPS in the official layout. Hardware: 4 GPUs with 4 clips each, over which means and variances of batch
norm are each GPU's own, as they were in the report for all that it says.
"""

_base_ = "pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"

model = dict(backbone=dict(norm_eval=False, bn_frozen=False))
