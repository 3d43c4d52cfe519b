"""DAP person detector, tested on the frame and its mirror image; the training is the base config's.

Source: the report names no choices of the test; mmdet's documentation on test-time augmentation has this one first.
It costs twice the base config's test. Not measured here.

    python tools/train.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py
    python tools/test.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps_flip.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"

work_dir = "work_dirs/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps"
tta_model = dict(type="MultiViewDetector")
steps = [[step] for step in _base_.test_pipeline]
flips = [dict(type="mmdet.RandomFlip", prob=prob) for prob in (0.0, 1.0)]
test_pipeline = [dict(type="TestTimeAug", transforms=[steps[0], flips, *steps[1:]])]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
