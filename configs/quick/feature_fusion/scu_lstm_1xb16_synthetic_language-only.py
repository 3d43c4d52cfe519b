"""SCU's action network at quick size without visual features: what the part states and the object mean, alone.

    python tools/train.py configs/quick/feature_fusion/scu_lstm_1xb16_synthetic_language-only.py

Data: as for the parent. An ablation of this package; the report has none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb16_synthetic.py"

model = dict(visual_channels=None)
