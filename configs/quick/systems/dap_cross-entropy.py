"""DAP, table 4, third row, at quick size: part heatmaps and state vectors, with the actions of the detector's own
branch (report: score 51.7).

    python tools/reproduce.py configs/quick/systems/dap_cross-entropy.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/cross-entropy"
model = dict(
    stages=[
        _base_.stages.persons,
        dict(
            _base_.stages.parts,
            config=f"{_base_.quick}/part_parsing/dap_parsing-hrnet-w16-cross-entropy_1xb16_synthetic-128x96.py",
        ),
        dict(type="EnsembleActions", weights=dict(instance=1)),
    ]
)
