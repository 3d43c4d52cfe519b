"""The 2021 runner-up's table 1, row 2: batch norm frozen, and two networks for the action (report: score 50.22, top-1
96.78).

    python tools/reproduce.py configs/systems/runner_up_2021_2-frozen-ensemble.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "runner_up_2021.py"

out_dir = "@work_dir/runner_up_2021_2-frozen-ensemble"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts_no_pose,
        _base_.stages.csn_ip,
        _base_.stages.csn_ir,
        _base_.stages.two_csn,
        _base_.stages.most_frequent,
    ],
)
