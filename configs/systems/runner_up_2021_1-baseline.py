"""The 2021 runner-up's table 1, row 1: parts without keypoints, most frequent states, ip-CSN-152 without frozen batch
norm (report: score 45.11, top-1 86.57).

    python tools/reproduce.py configs/systems/runner_up_2021_1-baseline.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
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
