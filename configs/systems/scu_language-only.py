"""SCU language only: part states in words without visual features. Our ablation; the report has none.

    python tools/reproduce.py configs/systems/scu_language-only.py

Data: Kinetics-TPS in the official layout. Hardware of the report: one RTX 3090.
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
