"""The 2021 runner-up's table 1, row 1: parts without keypoints, most frequent states, ip-CSN-50 without frozen batch
norm; quick size.

    python tools/reproduce.py configs/quick/systems/runner_up_2021_1-baseline.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "runner_up_2021_1-baseline"
work_dir = "work_dirs/quick_pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/runner_up_2021_1-baseline"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts_no_pose,
        _base_.stages.csn_ip_bn,
        dict(type="EnsembleActions", weights=dict(csn_ip_bn=1)),
        _base_.stages.most_frequent,
    ],
)
