"""SCU part states, a variant: no relevance predictor, so that no feature is multiplied by it.

Source: Kinetics-TPS Track Technical Report of Sichuan University (2022), section 2.2; it measures no such variant.

    python tools/train.py configs/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224_no-relevance.py
    python tools/test.py configs/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224_no-relevance.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: one GPU of 24 GB with eight frames.
"""

_base_ = "scu_part-states_vgg16_1xb8-12e_kinetics-tps-224.py"

model = dict(relevance=None)
