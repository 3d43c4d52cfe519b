"""PCF: the pose-guided coarse-to-fine framework, with ip-CSN-152 and part states of segments of 3 s (report: table I,
row 4: 60.89, top-1 96.46).

    python tools/reproduce.py configs/systems/pcf.py
    python tools/parse_video.py configs/systems/pcf.py VIDEO --out DIR

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "PCF"
work_dir = "work_dirs/pcf"  # all systems of these stages share their networks
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
