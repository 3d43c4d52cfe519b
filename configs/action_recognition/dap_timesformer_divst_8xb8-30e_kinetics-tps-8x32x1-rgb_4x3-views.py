"""DAP's TimeSformer, tested on four clips of a video and three crops of each; the training is the base config's.

Source: the report names no choices of the test. TimeSformer (Bertasius et al., 2021) and mmaction2's configs of it
take three crops of one clip, as the base config does; four clips are Video Swin's choice. A clip spans 225 frames:
the four clips of a video that has no more are the same one, and only longer videos gain. Not measured here.

    python tools/train.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py
    python tools/test.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb_4x3-views.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py"

work_dir = "work_dirs/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb"
model = dict(test_cfg=dict(max_testing_views=4))  # views in memory at a time
test_pipeline = [dict(_base_.test_pipeline[0], num_clips=4), *_base_.test_pipeline[1:]]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
