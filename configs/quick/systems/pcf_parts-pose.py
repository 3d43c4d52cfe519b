"""PCF, table II, row 4: YOLOF's parts on crops with painted keypoints; quick size.

    python tools/study.py configs/quick/studies/pcf_table2.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
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
