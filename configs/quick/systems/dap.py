"""DAP at a size that trains and tests on two cores.

    python tools/reproduce.py configs/quick/systems/dap.py
    python tools/parse_video.py configs/quick/systems/dap.py VIDEO --out DIR

Data: the synthetic data set of `make demo`. Hardware: two CPU cores. Expected scores: docs/results.md.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py", "../_base_/dap_stages.py"]

title = "DAP"
work_dir = "work_dirs/demo"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.timesformer,
        _base_.stages.swin,
        _base_.stages.fusion,
        dict(type="EnsembleActions", weights=dict(frame=1, instance=1, timesformer=1, swin=1, fusion=1)),
    ],
)
