"""DAP's TimeSformer, tested on each crop and its mirror image; the training is the base config's.

Source: the report names no choices of the test. No action of Kinetics-TPS tells left from right, and training mirrors
half of the clips. Scores (probabilities) and feature are means over three crops and their mirror images. Not measured
here.

    python tools/train.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py
    python tools/test.py configs/action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb_flip.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py"

work_dir = "work_dirs/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb"
tta_model = dict(type="MultiViewRecognizer")
flips = [dict(type="mmaction.Flip", flip_ratio=ratio) for ratio in (0, 1)]
last = [[step] for step in _base_.test_pipeline[-2:]]  # format and pack each view
test_pipeline = [*_base_.test_pipeline[:-2], dict(type="TestTimeAug", transforms=[flips, *last])]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
