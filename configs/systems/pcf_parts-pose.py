"""PCF, table II, row 4: YOLOF's parts on crops with painted keypoints (report: AP 57.10, AP50 79.70).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_parts-pose"
model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
        _base_.stages.parts,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
