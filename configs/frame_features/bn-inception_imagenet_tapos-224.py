"""Frame features for temporal parsing: BN-Inception with ImageNet's weights, 1024 numbers a frame.

Source: Shao et al., Intra- and Inter-Action Understanding via Temporal Action Parsing (TAPOS, 2020), section 5.2: the
features of frames are a BN-Inception's. The paper does not say what it was trained on. The preparation of frames is
that of TSN in testing, with one crop: short side 256, the centre 224 x 224, BGR, less Caffe's means.

    python tools/test.py configs/frame_features/bn-inception_imagenet_tapos-224.py
    python tools/test.py configs/frame_features/bn-inception_imagenet_tapos-224.py --cfg-options test_split=train

Data: TAPOS with its instances cut; a run writes the features of one subset and goes on where an earlier one stopped.
Hardware: one GPU, or more with tools/dist_test.sh. The weights are downloaded at the first run; a file takes their
place as CHECKPOINT behind the config.
"""

_base_ = ["../_base_/runtime.py", "../_base_/tapos.py"]

title = "features, bn-inception"

model = dict(
    type="FrameEncoder",
    backbone=dict(type="BNInception"),
    checkpoint="https://download.openmmlab.com/pretrain/third_party/bn_inception_caffe-ed2e8665.pth",
    # Frames are RGB, and to_rgb swaps the first and the last channel: the weights are Caffe's, of BGR.
    data_preprocessor=dict(
        type="mmaction.ActionDataPreprocessor", mean=[104, 117, 128], std=[1, 1, 1], to_rgb=True, format_shape="NCHW"
    ),
    pipeline=[
        dict(type="mmaction.Resize", scale=(-1, 256)),
        dict(type="mmaction.CenterCrop", crop_size=224),
        dict(type="mmaction.FormatShape", input_format="NCHW"),
        dict(type="mmaction.PackActionInputs"),
    ],
    batch_frames=64,
    save_dir="@data_root/features/bn-inception_imagenet",
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="TAPOSInstanceDataset", data_root="@data_root", taxonomy="@taxonomy", split="@test_split"),
)
test_evaluator = dict(type="FeatureCount")
test_cfg = dict()
