"""SCU's action network at quick size without language: the visual features of the parts alone.

    python tools/train.py configs/quick/feature_fusion/scu_lstm_1xb16_synthetic_no-language.py

Data: as for the parent, but for the language vectors, which are not needed. An ablation of this package; the report has
none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb16_synthetic.py"

model = dict(language=None)
