"""Frame features of the videos of Kinetics-TPS, to cut them into sub-actions: BN-Inception with ImageNet's weights.

    python tools/test.py configs/frame_features/bn-inception_imagenet_kinetics-tps-224.py

Data: Kinetics-TPS in the official layout; files of features are named like the videos. Hardware: as for the parent.
"""

_base_ = "bn-inception_imagenet_tapos-224.py"

data_root = "data/kinetics_tps"
test_split = "test"
test_dataloader = dict(dataset=dict(type="VideoDataset"))
