"""DAP, tables 5 and 6, fourth row, at quick size: the action from Video Swin alone (report: top-1 87.0, score 53.6).

    python tools/reproduce.py configs/quick/systems/dap_swin.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/swin"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.swin,
        dict(type="EnsembleActions", weights=dict(swin=1)),
    ]
)
