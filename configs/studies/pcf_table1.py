"""PCF, table I: whole systems.

    python tools/study.py configs/studies/pcf_table1.py --seeds 0 1 2
    python tools/study.py configs/studies/pcf_table1.py --seeds 0 1 2 --commands 4    the trainings, for a cluster

Data: Kinetics-TPS in the official layout; `tools/prepare_data.py splits data/kinetics_tps` makes `runner_up/val`. The
report's numbers are of the test videos, or of 809 other training videos whose list was not published. Hardware: 4 GPUs.
"""

_base_ = ["../_base_/kinetics_tps.py", "../_base_/studies/pcf_table1.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/pcf_studies"  # of all tables of PCF and the runner-up, which share networks
train_split = "runner_up/train"
test_split = "runner_up/val"
