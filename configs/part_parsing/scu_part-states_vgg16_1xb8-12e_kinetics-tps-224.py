"""SCU part states: relevance and multi-label states of all parts of a frame, VGG-16 on whole frames of 256 x 256.

Source: Kinetics-TPS Track Technical Report of Sichuan University (2022), section 2.2 and figure 1, and PaStaNet (Li et
al. 2020), which it builds on. The report measures no part states by themselves.

    python tools/train.py configs/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224.py
    python tools/test.py configs/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224.py CHECKPOINT

Data: Kinetics-TPS in the official layout. Hardware: one GPU of 24 GB with eight frames, as the report's RTX 3090.
Training starts from the backbone of the detector of parts and objects, in the folder beside this one's.

From the report: the input scaled to 256 x 256 and randomly cropped to 224, features of parts and of the object, fully
connected layers and a sigmoid for relevance with cross entropy on labels, a sigmoid for each state, and "the same
training strategy ... with the original Faster-RCNN": SGD, momentum 0.9, weight decay 0.0005, rate 0.001 and 0.0001 for
the last quarter, conv3_1 and up trained. From PaStaNet: the features are multiplied by the relevance. The rest is not
in either: the relevance labels (tpsparse/datasets/relevance.py), which object is a person's, the widths behind the
embedding, the weights of the losses, eight frames a step and twelve epochs, every fifth frame, mirroring and colours. A
test frame is not cropped, so that no part is lost at its border.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py"]

start_from = "{{ fileDirname }}/../part_detection/scu_faster-rcnn_vgg16_1xb1_kinetics-tps.py"
max_epochs = 12
scale = (256, 256)
crop = (224, 224)

model = dict(
    type="PartStateNet",
    # As the detector's, whose weights it begins with.
    data_preprocessor=dict(type="ImgDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[1.0, 1.0, 1.0]),
    backbone=dict(type="VGG", depth=16, frozen_stages=2),
    embedding=dict(
        roi_extractor=dict(
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
            featmap_strides=[16],
        ),
        in_channels=512,
        fc_channels=(4096, 4096),  # VGG-16's own, as in Faster R-CNN, with its dropout
        out_channels=512,
        dropout=0.5,
    ),
    labels=dict(num_parts="@num_parts", num_states="@num_states", num_objects="@num_objects"),
    relevance=dict(channels=512, loss_weight=1.0),
    # One of 74 states is annotated, so that a state is much more often absent than present.
    state=dict(positive_weight=2.0, loss_weight=1.0),
    # The best-scored object in reach; of equals, as all annotated ones are, that which shares most of the person's box.
    objects=dict(reach=1.2),
)

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=max_epochs)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.001, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=max_epochs, milestones=[9], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=8)

train_pipeline = [
    dict(type="ScaleFrame", size=scale),
    dict(type="CropFrame", size=crop, min_visible=0.5),
    dict(type="FlipFrame"),
    dict(type="JitterColor"),
    dict(type="PackFrameParts"),
]
test_pipeline = [dict(type="ScaleFrame", size=scale), dict(type="PackFrameParts")]
dataset = dict(
    type="TPSFramePartsDataset",
    data_root="@data_root",
    taxonomy="@taxonomy",
    frame_step=5,
    relevance=dict(split="@train_split", min_lift=1.2, plain_states=["none"]),
)
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededSampler"),
    dataset=dict(**dataset, split="@train_split", max_persons=4, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, split="@test_split", pipeline=test_pipeline),
)
test_evaluator = dict(type="MultiLabelStateAP")
test_cfg = dict()
