"""PCF, table II, row 3: YOLOF's parts without keypoints; quick size.

    python tools/study.py configs/quick/studies/pcf_table2.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
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
