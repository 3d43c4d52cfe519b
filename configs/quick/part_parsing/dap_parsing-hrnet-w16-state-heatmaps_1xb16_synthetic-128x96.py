"""DAP part parsing, quick, a variant: a heatmap for each part, and one for each state, whichever part.

Source: Disentangled Action Parsing (2021), table 4, row 2: Acc^p 51.3 (the paper's number, at full size).

    python tools/train.py configs/quick/part_parsing/dap_parsing-hrnet-w16-state-heatmaps_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/part_parsing/dap_parsing-hrnet-w16-state-heatmaps_1xb16_synthetic-128x96.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some three minutes.
"""

_base_ = "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"

model = dict(
    state_head=dict(_delete_=True, type="StateHeatmapModule", in_channels=_base_.channels, num_states="@num_states"),
    state_weight=_base_.model.part_weight,  # a squared error of the same size
)
