"""DAP action parsing from instance-level features alone: f_ia, f'_pa and f_sta, the second row of table 5 (top-1 74.2
in the report).

    python tools/train.py configs/feature_fusion/dap_mlp-instance_8xb32-30e_kinetics-tps.py

Data: as for the parent, and the hardware too.
"""

_base_ = "dap_mlp_8xb32-30e_kinetics-tps.py"

model = dict(frame_features=None, video_features=None)
