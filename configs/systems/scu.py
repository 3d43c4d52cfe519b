"""SCU: part relevance, part states in words, an LSTM over the parts (report: score 25.19, fourth in 2022).

    make language
    python tools/reproduce.py configs/systems/scu.py
    python tools/parse_video.py configs/systems/scu.py VIDEO --out DIR

Source: Kinetics-TPS Track on Part-level Action Parsing and Action Recognition (2022). Data: Kinetics-TPS in the
official layout. Hardware of the report: one RTX 3090.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/scu_stages.py"]

title = "SCU"
work_dir = "work_dirs/scu"  # all systems of these stages share their networks
out_dir = "@work_dir/scu"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.states,
        _base_.stages.lstm,
        _base_.stages.action,
    ],
)
# Several states of a part at once: their mean average precision stands beside the challenge's score.
test_evaluator = [
    dict(type="KineticsTPSMetric", taxonomy="@taxonomy", out_dir="@out_dir"),
    dict(type="ParsedStateMAP", taxonomy="@taxonomy"),
]
