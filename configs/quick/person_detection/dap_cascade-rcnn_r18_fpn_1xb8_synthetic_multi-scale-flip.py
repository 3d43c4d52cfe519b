"""DAP person detector at quick size, tested at three sizes and their mirror images; the training is the base config's.

The sizes have the full config's proportions: half, one and one and a half times the base config's.

    python tools/train.py configs/quick/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py
    python tools/test.py configs/quick/person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic_multi-scale-flip.py

Weights: of the base config's run, or as given behind the config. Data: the synthetic data set of `make demo`.
"""

_base_ = "dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py"

work_dir = "work_dirs/dap_cascade-rcnn_r18_fpn_1xb8_synthetic"
tta_model = dict(type="MultiViewDetector")
steps = [[step] for step in _base_.test_pipeline]
sizes = [dict(_base_.test_pipeline[0], scale=scale) for scale in ((192, 144), (96, 72), (288, 216))]
flips = [dict(type="mmdet.RandomFlip", prob=prob) for prob in (0.0, 1.0)]
test_pipeline = [dict(type="TestTimeAug", transforms=[sizes, flips, *steps[1:]])]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
