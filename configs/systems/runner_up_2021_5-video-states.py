"""The 2021 runner-up's table 1, row 5: part states of whole videos by ip-CSN-152 (report: score 61.10, top-1 96.78).

    python tools/reproduce.py configs/systems/runner_up_2021_5-video-states.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "runner_up_2021_5-video-states"
work_dir = "work_dirs/pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/runner_up_2021_5-video-states"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.csn_ip,
        _base_.stages.csn_ir,
        _base_.stages.two_csn,
        _base_.stages.ip_video,
        _base_.stages.ip_video_states,
    ],
)
