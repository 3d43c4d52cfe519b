"""`full.py` at quick size: what `benchmarks/pipeline.py --quick` measures, and memory over a long video.

    python benchmarks/pipeline.py --quick

Two cores, seconds.
"""

_base_ = [
    "../../configs/_base_/runtime.py",
    "../../configs/_base_/kinetics_tps.py",
    "../../configs/_base_/parsing_run.py",
]

quick = "{{ fileDirname }}/../../configs/quick"
model = dict(
    stages=[
        dict(
            type="DetectPersons",
            config=f"{quick}/person_detection/cascade-rcnn_r18_fpn_1xb8_synthetic.py",
            options={"test_pipeline.0.scale": (192, 144), "model.test_cfg.rcnn.max_per_img": 2},
        ),
        dict(
            type="EstimatePose",
            config=f"{quick}/pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py",
            options={"model.test_cfg.flip_test": False},
        ),
        dict(
            type="ClassifyVideo",
            name="tsn",
            config=f"{quick}/action_recognition/pcf_tsn-r18_1xb8_synthetic-1x1x3-rgb.py",
        ),
        dict(type="EnsembleActions", weights=dict(tsn=1)),
    ],
)
