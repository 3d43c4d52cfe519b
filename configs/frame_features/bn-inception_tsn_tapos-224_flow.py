"""Frame features by motion: BN-Inception as TSN trained it on Kinetics-400's TV-L1 flow, five pairs around a frame.

Source: as for bn-inception_tsn_tapos-224.py.

    python tools/prepare_data.py flow data/tapos
    python tools/test.py configs/frame_features/bn-inception_tsn_tapos-224_flow.py

Data: TAPOS. Flow that is not extracted is computed, which takes most of the time. Hardware: as for the parent, and many
processor cores.
"""

_base_ = "bn-inception_imagenet_tapos-224.py"

# Only the file's name was found in public code; its folder is taken to be that of the RGB weights. A file of one's own
# is given as CHECKPOINT.
steps = _base_.model.pipeline
model = dict(
    backbone=dict(in_channels=10),
    checkpoint="https://yjxiong.blob.core.windows.net/ssn-models/bninception_flow_kinetics_init-1410c1ccb470.pth",
    data_preprocessor=dict(mean=[128] * 10, std=[1] * 10, to_rgb=False),
    pipeline=[dict(type="DecodeFlow", compute=True), *steps[:2], dict(type="FormatFlow"), steps[3]],
    flow_pairs=5,
    save_dir="@data_root/features/bn-inception_tsn-flow",
)
