"""SCU without part relevance: every part counts alike; quick size. An ablation of ours; the report has none.

    python tools/reproduce.py configs/quick/systems/scu_no-relevance.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "scu.py"

out_dir = "@work_dir/scu_no-relevance"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.states_no_relevance,
        _base_.stages.lstm_no_relevance,
        _base_.stages.action,
    ],
)
