"""DAP: Disentangled Action Parsing, third in the Kinetics-TPS challenge of 2021 with a score of 60.5 (the report's).

    python tools/reproduce.py configs/systems/dap.py --cfg-options data_root=data/kinetics_tps
    python tools/test.py configs/systems/dap.py --work-dir work_dirs/dap

Source: Disentangled Action Parsing (2021). Data: Kinetics-TPS in the official layout. Hardware of the report: 8 V100.
On several GPUs train each network with tools/dist_train.sh into work_dirs/dap/<name of its config>, then test.
"""

_base_ = ["../_base_/runtime.py", "../_base_/kinetics_tps.py", "../_base_/parsing_run.py", "../_base_/dap_stages.py"]

title = "DAP"
floor = "{{ fileDirname }}/most_frequent.py"

model = dict(
    stages=[
        _base_.stages.persons,
        _base_.stages.parts,
        _base_.stages.timesformer,
        _base_.stages.swin,
        _base_.stages.fusion,
        # The report ensembles "multiple predicted results" and does not give its weights.
        dict(type="EnsembleActions", weights=dict(frame=1, instance=1, timesformer=1, swin=1, fusion=1)),
    ],
)
