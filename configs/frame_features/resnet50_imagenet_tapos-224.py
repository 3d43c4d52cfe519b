"""Frame features for temporal parsing: torchvision's ResNet-50 with ImageNet's weights, 2048 numbers a frame.

Source: the parent with a backbone that is easier to come by; not in the paper.

    python tools/test.py configs/frame_features/resnet50_imagenet_tapos-224.py

Data and hardware: as for the parent. Data: TAPOS.
"""

_base_ = "bn-inception_imagenet_tapos-224.py"

weights = "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
model = dict(
    backbone=dict(_delete_=True, type="mmaction.ResNet", depth=50, pretrained=weights),
    checkpoint=None,
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=False),
    save_dir="@data_root/features/resnet50_imagenet",
)
