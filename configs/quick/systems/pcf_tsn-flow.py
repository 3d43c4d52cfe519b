"""PCF with TSN on TV-L1 flow, at quick size.

    python tools/reproduce.py configs/quick/systems/pcf_tsn-flow.py

Data: the synthetic data set of `make demo`, after `tools/prepare_data.py flow work_dirs/demo/data --short-side 72
--effort quick`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "pcf_tsn-flow"
work_dir = "work_dirs/quick_pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/pcf_tsn-flow"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.tsn_flow,
        dict(type="EnsembleActions", weights=dict(tsn_flow=1)),
        _base_.stages.flow_3s,
        _base_.stages.flow_3s_states,
    ],
)
