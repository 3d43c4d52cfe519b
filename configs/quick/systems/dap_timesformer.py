"""DAP, tables 5 and 6, third row, at quick size: the action from TimeSformer alone (report: top-1 85.6, score 53.2).

    python tools/reproduce.py configs/quick/systems/dap_timesformer.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/timesformer"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.timesformer,
        dict(type="EnsembleActions", weights=dict(timesformer=1)),
    ]
)
