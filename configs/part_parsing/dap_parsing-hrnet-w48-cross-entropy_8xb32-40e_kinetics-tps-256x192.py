"""DAP part parsing, a variant: part heatmaps and state vectors, with cross entropy in place of focal loss.

Source: Disentangled Action Parsing (2021), table 4, row 3: Acc^p 51.7 (the paper's number), on a random 30 % of the
training videos (the split was not published), with TimeSformer's actions.

    python tools/train.py configs/part_parsing/dap_parsing-hrnet-w48-cross-entropy_8xb32-40e_kinetics-tps-256x192.py
    python tools/test.py configs/part_parsing/dap_parsing-hrnet-w48-cross-entropy_8xb32-40e_kinetics-tps-256x192.py

Data: Kinetics-TPS in the official layout. Hardware: as for the parent, row 4 of the table (53.2).
"""

_base_ = "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"

model = dict(state_head=dict(gamma=0.0))
