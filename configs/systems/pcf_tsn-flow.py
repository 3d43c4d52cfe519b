"""PCF with TSN on TV-L1 flow (report: table I, row 3: 54.33, top-1 83.48).

    python tools/reproduce.py configs/systems/pcf_tsn-flow.py

Data: Kinetics-TPS in the official layout, after `tools/prepare_data.py flow data/kinetics_tps`.
Hardware of the report: 4 V100.
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
