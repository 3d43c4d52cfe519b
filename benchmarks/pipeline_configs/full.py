"""What `benchmarks/pipeline.py` measures: persons, their keypoints and the action, by networks of full size.

Cascade R-CNN with ResNet-101, HRNet-W48 on crops of 256 x 192, TSN with ResNet-50 on seven frames of 256 x 256: one for
each of mmdet's, mmpose's and mmaction2's inference functions. Frames are looked at in their own size, with two persons
in each; no mirror image of a crop.

    python benchmarks/pipeline.py
"""

_base_ = [
    "../../configs/_base_/runtime.py",
    "../../configs/_base_/kinetics_tps.py",
    "../../configs/_base_/parsing_run.py",
]

configs = "{{ fileDirname }}/../../configs"
model = dict(
    stages=[
        dict(
            type="DetectPersons",
            config=f"{configs}/person_detection/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py",
            options={"test_pipeline.0.scale": (640, 384), "model.test_cfg.rcnn.max_per_img": 2},
        ),
        dict(
            type="EstimatePose",
            config=f"{configs}/pose_estimation/pcf_td-hm_hrnet-w48_8xb32-210e_coco-256x192.py",
            options={"model.test_cfg.flip_test": False},
        ),
        dict(
            type="ClassifyVideo",
            name="tsn",
            config=f"{configs}/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py",
        ),
        dict(type="EnsembleActions", weights=dict(tsn=1)),
    ],
)
