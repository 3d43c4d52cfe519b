"""DAP action parsing from frame-level features alone: f_c, the first row of table 5 (top-1 73.0 in the report).

    python tools/train.py configs/feature_fusion/dap_mlp-frame_8xb32-30e_kinetics-tps.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_mlp_8xb32-30e_kinetics-tps.py"

model = dict(person_features=None, video_features=None)
