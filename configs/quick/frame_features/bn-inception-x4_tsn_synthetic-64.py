"""Frame features on two cores: a quarter of BN-Inception's channels, as TSN has trained it on synthetic sports.

    python tools/test.py configs/quick/frame_features/bn-inception-x4_tsn_synthetic-64.py
    python tools/test.py configs/quick/frame_features/bn-inception-x4_tsn_synthetic-64.py --cfg-options test_split=train

Data: synthetic sports in TAPOS's format, and the run of tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py of
configs/quick/action_recognition beside the work folder. Hardware: two CPU cores, some minute.
"""

_base_ = ["../_base_/quick_tapos.py"]

title = "features, bn-inception"
weights_from = "{{ fileDirname }}/../action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py"

model = dict(
    type="FrameEncoder",
    backbone=dict(type="BNInception", width=0.25),
    data_preprocessor=dict(
        type="mmaction.ActionDataPreprocessor", mean=[127.5, 127.5, 127.5], std=[64, 64, 64], format_shape="NCHW"
    ),
    pipeline=[
        dict(type="mmaction.Resize", scale=(64, 64), keep_ratio=False),
        dict(type="mmaction.FormatShape", input_format="NCHW"),
        dict(type="mmaction.PackActionInputs"),
    ],
    save_dir="@data_root/features/bn-inception-x4_tsn",
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="TAPOSInstanceDataset", data_root="@data_root", taxonomy="@taxonomy", split="@test_split"),
)
test_evaluator = dict(type="FeatureCount")
test_cfg = dict()
