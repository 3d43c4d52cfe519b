"""DAP, table 4, last row, at quick size: part heatmaps and state vectors with focal loss, with the actions of the
detector's own branch (report: score 53.2).

    python tools/reproduce.py configs/quick/systems/dap_focal.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/focal"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        dict(type="EnsembleActions", weights=dict(instance=1)),
    ]
)
