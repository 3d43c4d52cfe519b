"""PCF, table III, row 2: part states of segments of 3 s (report: head 92.46 arm 68.07 hand 68.43 hip 84.14 leg 66.14
foot 65.36).

    python tools/study.py configs/studies/pcf_table3.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
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
