"""Frame features for temporal parsing: BN-Inception as TSN trained it on Kinetics-400, 1024 numbers a frame.

Source: as for the parent; weights as released with SSN (Zhao et al., Temporal Action Detection with Structured Segment
Networks, 2017), which begins with them. Those of a TSN trained on TAPOS itself are given as CHECKPOINT.

    python tools/test.py configs/frame_features/bn-inception_tsn_tapos-224.py
    python tools/test.py configs/frame_features/bn-inception_tsn_tapos-224.py CHECKPOINT

Data and hardware: as for the parent. Data: TAPOS.
"""

_base_ = "bn-inception_imagenet_tapos-224.py"

model = dict(
    checkpoint="https://yjxiong.blob.core.windows.net/ssn-models/bninception_rgb_kinetics_init-d4ee618d3399.pth",
    save_dir="@data_root/features/bn-inception_tsn",
)
