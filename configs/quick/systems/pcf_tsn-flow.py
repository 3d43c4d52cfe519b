"""PCF with TSN on TV-L1 flow, at quick size.

    python tools/reproduce.py configs/quick/systems/pcf_tsn-flow.py

Data: the synthetic data set of `make demo`, after `tools/prepare_data.py flow work_dirs/demo/data --short-side 72
--effort quick`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_tsn-flow"
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
