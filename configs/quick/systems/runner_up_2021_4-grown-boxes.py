"""The 2021 runner-up's table 1, row 4: person boxes grown to their keypoints; quick size.

    python tools/reproduce.py configs/quick/systems/runner_up_2021_4-grown-boxes.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "runner_up_2021.py"

out_dir = "@work_dir/runner_up_2021_4-grown-boxes"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.csn_ip,
        _base_.stages.csn_ir,
        _base_.stages.two_csn,
        _base_.stages.most_frequent,
    ],
)
