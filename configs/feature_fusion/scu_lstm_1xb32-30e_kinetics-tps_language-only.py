"""SCU's action network without visual features: what the part states and the object mean, alone.

    python tools/train.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_language-only.py
    python tools/test.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_language-only.py CHECKPOINT

Data: as for the parent. An ablation of this package; the report has none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb32-30e_kinetics-tps.py"

model = dict(visual_channels=None)
