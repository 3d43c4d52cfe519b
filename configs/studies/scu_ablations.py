"""SCU and its ablations: without relevance, without language, language only, mean instead of LSTM.

    python tools/study.py configs/studies/scu_ablations.py --seeds 0 1 2
    python tools/study.py configs/studies/scu_ablations.py --seeds 0 1 2 --commands 8    the trainings, for a cluster

Data: Kinetics-TPS in the official layout; `python tools/prepare_data.py splits data/kinetics_tps` makes `dap/val`.
"""

_base_ = ["../_base_/kinetics_tps.py", "../_base_/studies/scu_ablations.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/scu_study"
train_split = "dap/train"
test_split = "dap/val"
