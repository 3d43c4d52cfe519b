"""DAP, tables 5 and 6, first row: the action from frame-level features alone (report: top-1 73.0, score 46.1).

    python tools/reproduce.py configs/systems/dap_frame.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/frame"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.mlp_frame,
        dict(type="EnsembleActions", weights=dict(mlp_frame=1)),
    ]
)
