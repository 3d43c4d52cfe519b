"""DAP, table 4: ways to say in which state a part is, with the same action predictions throughout.

    python tools/study.py configs/studies/dap_table4.py --seeds 0 1 2
    python tools/study.py configs/studies/dap_table4.py --seeds 0 1 2 --commands 8    the trainings, for a cluster

Data: Kinetics-TPS in the official layout; `python tools/prepare_data.py splits data/kinetics_tps` makes `dap/val`. The
report's numbers are of 1,123 other training videos, whose list was not published. Hardware: 8 GPUs.
"""

_base_ = ["../_base_/kinetics_tps.py", "../_base_/studies/dap_table4.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/dap_studies"  # of tables 3 to 5, which share networks
train_split = "dap/train"
test_split = "dap/val"
