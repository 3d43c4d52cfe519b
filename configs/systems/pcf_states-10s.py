"""PCF, table III, row 3: part states of segments of 10 s (report: head 92.44 arm 67.69 hand 68.10 hip 83.99 leg 65.59
foot 65.02).

    python tools/study.py configs/studies/pcf_table3.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_states-10s"
model = dict(
    stages=[
        _base_.stages.annotation,
        _base_.stages.ip_10s,
        dict(_base_.stages.ip_10s_states, within_action=False),
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedStateAccuracy", taxonomy="@taxonomy")
