"""The 2021 runner-up's table 1, row 3: the part detector sees painted keypoints; quick size.

    python tools/reproduce.py configs/quick/systems/runner_up_2021_3-pose.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "runner_up_2021.py"

out_dir = "@work_dir/runner_up_2021_3-pose"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.parts,
        _base_.stages.csn_ip,
        _base_.stages.csn_ir,
        _base_.stages.two_csn,
        _base_.stages.most_frequent,
    ],
)
