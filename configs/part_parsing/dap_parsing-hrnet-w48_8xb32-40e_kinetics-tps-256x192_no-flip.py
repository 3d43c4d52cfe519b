"""DAP part parsing tested on the crop alone and not on its mirror image too: half the work.

Training and weights are the parent's; the report does not say whether it mirrors in testing.

    python tools/train.py configs/part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py
    python tools/test.py configs/part_parsing/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192_no-flip.py

Weights: of the base config's run, or as given behind the config. Data: Kinetics-TPS in the official layout.
"""

_base_ = "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"

work_dir = "work_dirs/dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192"
model = dict(test_cfg=dict(flip_test=False))
