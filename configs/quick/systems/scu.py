"""SCU: part relevance, part states in words and an LSTM over the parts, at a size that trains on two cores.

    make language
    python tools/reproduce.py configs/quick/systems/scu.py
    python tools/parse_video.py configs/quick/systems/scu.py VIDEO --out DIR

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py", "../_base_/scu_stages.py"]

title = "SCU"
work_dir = "work_dirs/quick_scu"  # all systems of these stages share their networks
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
