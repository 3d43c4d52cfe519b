"""DAP, table 4, second row: part heatmaps and state heatmaps, with TimeSformer's actions (report: score 51.3).

    python tools/reproduce.py configs/systems/dap_state-heatmaps.py

Networks that are in the work folder already are not trained again. Data: as for the parent, and the hardware too.
"""

_base_ = "dap.py"

out_dir = "@work_dir/state-heatmaps"
model = dict(
    stages=[
        _base_.stages.persons,
        dict(
            _base_.stages.parts,
            config=f"{_base_.configs}/part_parsing/dap_parsing-hrnet-w48-state-heatmaps_8xb32-40e_kinetics-tps-256x192.py",
        ),
        _base_.stages.timesformer,
        dict(type="EnsembleActions", weights=dict(timesformer=1)),
    ]
)
