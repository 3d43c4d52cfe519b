"""DAP part parsing, a variant: a heatmap for each (part, state) pair gives box and state.

Source: Disentangled Action Parsing (2021), table 4, row 1: Acc^p 50.9 (the paper's number), on a random 30 % of the
training videos (the split was not published), with TimeSformer's actions.

    python tools/train.py configs/part_parsing/dap_parsing-hrnet-w48-shared-heatmaps_8xb32-40e_kinetics-tps-256x192.py
    python tools/test.py configs/part_parsing/dap_parsing-hrnet-w48-shared-heatmaps_8xb32-40e_kinetics-tps-256x192.py

Data: Kinetics-TPS in the official layout. Hardware: as for the parent, row 4 of the table (53.2).
"""

_base_ = "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"

model = dict(
    part_head=None,
    state_head=dict(_base_.model.part_head, _delete_=True, type="SharedHeatmapModule", num_states="@num_states"),
    state_weight=_base_.model.part_weight,  # a squared error of the same size
)
