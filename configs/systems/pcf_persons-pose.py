"""PCF, table II, row 2: YOLOF's persons grown to their keypoints (report: AP 74.80, AP50 93.80).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "pcf_persons-pose"
work_dir = "work_dirs/pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/pcf_persons-pose"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.pose,
        _base_.stages.grow,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
