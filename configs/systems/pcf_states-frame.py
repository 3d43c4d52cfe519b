"""PCF, table III, row 1: part states of single frames, by the recognizers of segments of 3 s (report: head 92.46 arm
68.11 hand 68.50 hip 84.19 leg 66.27 foot 65.47).

    python tools/study.py configs/studies/pcf_table3.py

Data: Kinetics-TPS in the official layout. Hardware of the report: 4 V100.
"""

_base_ = "pcf.py"

out_dir = "@work_dir/pcf_states-frame"
model = dict(
    stages=[
        _base_.stages.annotation,
        _base_.stages.ip_frame,
        dict(_base_.stages.ip_3s_states, within_action=False),
    ],
)
test_evaluator = dict(_delete_=True, type="ParsedStateAccuracy", taxonomy="@taxonomy")
