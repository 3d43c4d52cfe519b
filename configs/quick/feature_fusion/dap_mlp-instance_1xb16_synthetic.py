"""DAP action parsing from instance-level features alone, at quick size: f_ia, f'_pa and f_sta, the second row of
table 5 (top-1 74.2 in the report).

    python tools/train.py configs/quick/feature_fusion/dap_mlp-instance_1xb16_synthetic.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_mlp_1xb16_synthetic.py"

model = dict(frame_features=None, video_features=None)
