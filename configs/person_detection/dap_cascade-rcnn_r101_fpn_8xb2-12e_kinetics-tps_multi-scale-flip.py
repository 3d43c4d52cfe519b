"""DAP person detector, tested at three sizes and their mirror images; the training is the base config's.

Source: the report names no choices of the test. The sizes are the example of mmdet's documentation on test-time
augmentation, the base config's size among them; the detector's own suppression merges the boxes. The six views cost
seven times the base config's one (3.5 times its pixels, twice). Not measured here.

    python tools/train.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py
    python tools/test.py configs/person_detection/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps_multi-scale-flip.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"

work_dir = "work_dirs/dap_cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps"
tta_model = dict(type="MultiViewDetector")
steps = [[step] for step in _base_.test_pipeline]
sizes = [dict(_base_.test_pipeline[0], scale=scale) for scale in ((1333, 800), (666, 400), (2000, 1200))]
flips = [dict(type="mmdet.RandomFlip", prob=prob) for prob in (0.0, 1.0)]
test_pipeline = [dict(type="TestTimeAug", transforms=[sizes, flips, *steps[1:]])]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
