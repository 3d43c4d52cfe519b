"""SCU's action network with the mean of a person's parts in place of the LSTM, which knows their order.

    python tools/train.py configs/feature_fusion/scu_mean_1xb32-30e_kinetics-tps.py
    python tools/test.py configs/feature_fusion/scu_mean_1xb32-30e_kinetics-tps.py CHECKPOINT

Data: as for the parent. An ablation of this package; the report has none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb32-30e_kinetics-tps.py"

model = dict(sequence="mean")
