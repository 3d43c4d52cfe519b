"""DAP action parsing from frame-level features alone, at quick size: f_c, the first row of table 5 (top-1 73.0 in the
report).

    python tools/train.py configs/quick/feature_fusion/dap_mlp-frame_1xb16_synthetic.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_mlp_1xb16_synthetic.py"

model = dict(person_features=None, video_features=None)
