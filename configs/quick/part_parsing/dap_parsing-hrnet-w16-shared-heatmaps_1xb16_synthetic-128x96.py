"""DAP part parsing, quick, a variant: a heatmap for each (part, state) pair gives box and state.

Source: Disentangled Action Parsing (2021), table 4, row 1: Acc^p 50.9 (the paper's number, at full size).

    python tools/train.py configs/quick/part_parsing/dap_parsing-hrnet-w16-shared-heatmaps_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/part_parsing/dap_parsing-hrnet-w16-shared-heatmaps_1xb16_synthetic-128x96.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some three minutes.
"""

_base_ = "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"

model = dict(
    part_head=None,
    state_head=dict(_base_.model.part_head, _delete_=True, type="SharedHeatmapModule", num_states="@num_states"),
    state_weight=_base_.model.part_weight,  # a squared error of the same size
)
