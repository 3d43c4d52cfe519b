"""DAP's Video Swin at quick size, tested on four clips of a video and three crops of each; the training is the base
config's.

The crops keep the frame's proportions, where the base config squeezes the whole frame to a square.

    python tools/train.py configs/quick/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb.py
    python tools/test.py configs/quick/action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb_4x3-views.py

Weights: of the base config's run, or as given behind the config. Data: the synthetic data set of `make demo`.
"""

_base_ = "dap_swin-24_1xb8_synthetic-8x2x1-rgb.py"

work_dir = "work_dirs/dap_swin-24_1xb8_synthetic-8x2x1-rgb"
model = dict(test_cfg=dict(max_testing_views=4))  # views in memory at a time
test_pipeline = [
    dict(_base_.test_pipeline[0], num_clips=4),
    _base_.test_pipeline[1],
    dict(type="mmaction.Resize", scale=(-1, _base_.image_size)),
    dict(type="mmaction.ThreeCrop", crop_size=_base_.image_size),
    *_base_.test_pipeline[3:],
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
