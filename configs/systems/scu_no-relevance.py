"""SCU without part relevance: every part counts alike. An ablation of ours; the report has none.

    python tools/reproduce.py configs/systems/scu_no-relevance.py

Data: Kinetics-TPS in the official layout. Hardware of the report: one RTX 3090.
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
