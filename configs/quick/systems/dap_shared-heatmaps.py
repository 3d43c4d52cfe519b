"""DAP, table 4, first row, at quick size: one heatmap for each part and state, with the actions of the detector's own
branch (report: score 50.9).

    python tools/reproduce.py configs/quick/systems/dap_shared-heatmaps.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/shared-heatmaps"
model = dict(
    stages=[
        _base_.stages.persons,
        dict(
            _base_.stages.parts,
            config=f"{_base_.quick}/part_parsing/dap_parsing-hrnet-w16-shared-heatmaps_1xb16_synthetic-128x96.py",
        ),
        dict(type="EnsembleActions", weights=dict(instance=1)),
    ]
)
