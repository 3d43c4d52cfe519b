"""DAP's Video Swin, tested on four clips of a video and three crops of each; the training is the base config's.

Source: Video Swin Transformer (Liu et al., 2021) is tested on 4 x 3 views of Kinetics-400, and so are mmaction2's
configs of it; the report names no choices of the test. Scores (probabilities) and feature are means over the twelve
views. Not measured here.

    python tools/train.py configs/action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py
    python tools/test.py configs/action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb_4x3-views.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py"

work_dir = "work_dirs/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb"
model = dict(test_cfg=dict(max_testing_views=4))  # views in memory at a time
test_pipeline = [dict(_base_.test_pipeline[0], num_clips=4), *_base_.test_pipeline[1:]]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
