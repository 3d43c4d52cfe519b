"""DAP, tables 5 and 6, second row: the action from instance-level features (report: top-1 74.2, score 46.4).

    python tools/reproduce.py configs/systems/dap_instance.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/instance"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.mlp_instance,
        dict(type="EnsembleActions", weights=dict(mlp_instance=1)),
    ]
)
