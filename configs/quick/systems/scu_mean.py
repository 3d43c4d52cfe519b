"""SCU the mean over the parts in place of the LSTM; quick size. An ablation of ours; the report has none.

    python tools/reproduce.py configs/quick/systems/scu_mean.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
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
