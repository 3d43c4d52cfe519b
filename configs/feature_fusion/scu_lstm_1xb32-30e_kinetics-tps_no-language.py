"""SCU's action network without language: the visual features of the parts alone.

    python tools/train.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_no-language.py
    python tools/test.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_no-language.py CHECKPOINT

Data: as for the parent, but for the language vectors, which are not needed. An ablation of this package; the report has
none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb32-30e_kinetics-tps.py"

model = dict(language=None)
