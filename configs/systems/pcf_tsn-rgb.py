"""PCF with TSN on RGB (report: table I, row 2: 49.23, top-1 74.03).

    python tools/reproduce.py configs/systems/pcf_tsn-rgb.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_tsn-rgb"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
        _base_.stages.tsn_rgb,
        dict(type="EnsembleActions", weights=dict(tsn_rgb=1)),
        _base_.stages.rgb_3s,
        _base_.stages.rgb_3s_states,
    ],
)
