"""DAP, table 5: the ensemble of the table's own first four rows, and of nothing else.

    python tools/reproduce.py configs/systems/dap_row-ensemble.py

`dap.py` weighs the detector's branches and one network of all features instead. The report does not say which
predictions it has combined; this is the other reading. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/row-ensemble"
model = dict(
    stages=[
        *(_base_.stages[name] for name in ("persons", "parts", "mlp_frame", "mlp_instance", "timesformer", "swin")),
        dict(type="EnsembleActions", weights=dict(mlp_frame=1, mlp_instance=1, timesformer=1, swin=1)),
    ]
)
