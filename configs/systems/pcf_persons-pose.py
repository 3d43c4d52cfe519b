"""PCF, table II, row 2: YOLOF's persons grown to their keypoints (report: AP 74.80, AP50 93.80).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_persons-pose"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
