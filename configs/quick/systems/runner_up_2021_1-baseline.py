"""The 2021 runner-up's table 1, row 1: parts without keypoints, most frequent states, ip-CSN-50 without frozen batch
norm; quick size.

    python tools/reproduce.py configs/quick/systems/runner_up_2021_1-baseline.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "runner_up_2021.py"

out_dir = "@work_dir/runner_up_2021_1-baseline"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts_no_pose,
        _base_.stages.csn_ip_bn,
        dict(type="EnsembleActions", weights=dict(csn_ip_bn=1)),
        _base_.stages.most_frequent,
    ],
)
