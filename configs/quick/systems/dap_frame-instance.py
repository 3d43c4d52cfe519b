"""DAP, tables 5 and 6, fifth row, at quick size: frame and instance level as an ensemble (report: top-1 79.3, score
49.7).

    python tools/reproduce.py configs/quick/systems/dap_frame-instance.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/frame-instance"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.mlp_frame,
        _base_.stages.mlp_instance,
        dict(type="EnsembleActions", weights=dict(mlp_frame=1, mlp_instance=1)),
    ]
)
