"""SCU's action network at quick size with the mean of a person's parts in place of the LSTM, which knows their order.

    python tools/train.py configs/quick/feature_fusion/scu_mean_1xb16_synthetic.py

Data: as for the parent. An ablation of this package; the report has none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb16_synthetic.py"

model = dict(sequence="mean")
