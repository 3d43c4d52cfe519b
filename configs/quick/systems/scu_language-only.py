"""SCU language only: part states in words without visual features; quick size. Our ablation; the report has none.

    python tools/reproduce.py configs/quick/systems/scu_language-only.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "scu.py"

out_dir = "@work_dir/scu_language-only"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.states,
        _base_.stages.lstm_language_only,
        _base_.stages.action,
    ],
)
