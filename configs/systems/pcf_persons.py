"""PCF, table II, row 1: YOLOF's persons as they are (report: AP 74.60, AP50 93.40).

    python tools/study.py configs/studies/pcf_table2.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_persons"
model = dict(
    stages=[
        _base_.stages.persons,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
