"""SCU's action network on parts that are all equally relevant: the relevance predictor is left out.

    python tools/train.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_no-relevance.py
    python tools/test.py configs/feature_fusion/scu_lstm_1xb32-30e_kinetics-tps_no-relevance.py CHECKPOINT

Data: part states and features of the part parsing without relevance; the rest as for the parent. An ablation of this
package; the report has none. Hardware: as for the parent.
"""

_base_ = "scu_lstm_1xb32-30e_kinetics-tps.py"

train_dataloader = dict(dataset=dict(parses="@parses_dir/scu_no-relevance/train"))
