"""PCF with TSN on RGB, at quick size.

    python tools/reproduce.py configs/quick/systems/pcf_tsn-rgb.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
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
