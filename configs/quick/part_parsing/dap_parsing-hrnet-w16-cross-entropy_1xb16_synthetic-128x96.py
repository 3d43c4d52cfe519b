"""DAP part parsing, quick, a variant: part heatmaps and state vectors, with cross entropy in place of focal loss.

Source: Disentangled Action Parsing (2021), table 4, row 3: Acc^p 51.7 (the paper's number, at full size).

    python tools/train.py configs/quick/part_parsing/dap_parsing-hrnet-w16-cross-entropy_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/part_parsing/dap_parsing-hrnet-w16-cross-entropy_1xb16_synthetic-128x96.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores, some three minutes.
"""

_base_ = "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"

model = dict(state_head=dict(gamma=0.0))
