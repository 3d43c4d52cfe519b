"""PCF, table II, row 1: YOLOF's persons as they are; quick size.

    python tools/study.py configs/quick/studies/pcf_table2.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_persons"
model = dict(
    stages=[
        _base_.stages.persons,
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedPersonAP")
