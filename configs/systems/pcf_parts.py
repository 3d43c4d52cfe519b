"""PCF, table II, row 3: YOLOF's parts without keypoints (report: AP 36.40, AP50 53.10).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/pcf_stages.py"]

title = "pcf_parts"
work_dir = "work_dirs/pcf"  # all systems of these stages share their networks
out_dir = "@work_dir/pcf_parts"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts_no_pose,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
