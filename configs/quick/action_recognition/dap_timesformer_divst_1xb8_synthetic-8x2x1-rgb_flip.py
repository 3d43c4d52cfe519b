"""DAP's TimeSformer at quick size, tested on the clip and its mirror image; the training is the base config's.

    python tools/train.py configs/quick/action_recognition/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py
    python tools/test.py configs/quick/action_recognition/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb_flip.py

Weights: of the base config's run, or as given behind the config. Data: the synthetic data set of `make demo`.
"""

_base_ = "dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py"

work_dir = "work_dirs/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb"
tta_model = dict(type="MultiViewRecognizer")
flips = [dict(type="mmaction.Flip", flip_ratio=ratio) for ratio in (0, 1)]
last = [[step] for step in _base_.test_pipeline[-2:]]  # format and pack each view
test_pipeline = [*_base_.test_pipeline[:-2], dict(type="TestTimeAug", transforms=[flips, *last])]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
