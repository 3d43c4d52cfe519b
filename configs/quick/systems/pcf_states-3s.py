"""PCF, table III, row 2: part states of segments of 3 s; quick size.

    python tools/study.py configs/quick/studies/pcf_table3.py

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_states-3s"
model = dict(
    stages=[
        _base_.stages.annotation,
        _base_.stages.ip_3s,
        dict(_base_.stages.ip_3s_states, within_action=False),
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedStateAccuracy", taxonomy="@taxonomy")
