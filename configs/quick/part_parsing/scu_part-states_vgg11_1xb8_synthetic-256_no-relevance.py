"""SCU part states, quick, a variant: no relevance predictor, so that no feature is multiplied by it.

Source: Kinetics-TPS Track Technical Report of Sichuan University (2022), section 2.2; it measures no such variant.

    python tools/train.py configs/quick/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256_no-relevance.py
    python tools/test.py configs/quick/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256_no-relevance.py

Data: the synthetic data set of `make demo`. Hardware: one CPU core, some four minutes.
"""

_base_ = "scu_part-states_vgg11_1xb8_synthetic-256.py"

model = dict(relevance=None)
