"""SCU the mean over the parts in place of the LSTM. An ablation of ours; the report has none.

    python tools/reproduce.py configs/systems/scu_mean.py

Data: Kinetics-TPS in the official layout. Hardware of the report: one RTX 3090.
"""

_base_ = "scu.py"

out_dir = "@work_dir/scu_mean"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.states,
        _base_.stages.mean,
        _base_.stages.action,
    ],
)
