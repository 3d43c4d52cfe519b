"""PCF: the pose-guided coarse-to-fine framework, with ip-CSN-50 and part states of segments of 3 s, at a size that
trains on two cores.

    python tools/reproduce.py configs/quick/systems/pcf.py
    python tools/parse_video.py configs/quick/systems/pcf.py VIDEO --out DIR

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "PCF"
work_dir = "work_dirs/quick_pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/pcf"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.csn_ip,
        dict(type="EnsembleActions", weights=dict(csn_ip=1)),
        _base_.stages.ip_3s,
        _base_.stages.ip_3s_states,
    ],
)
