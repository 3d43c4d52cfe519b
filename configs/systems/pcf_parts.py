"""PCF, table II, row 3: YOLOF's parts without keypoints (report: AP 36.40, AP50 53.10).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_parts"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts_no_pose,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
