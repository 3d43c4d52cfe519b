"""DAP, table 6: the features again, trained on all training videos and tested on the test videos.

    python tools/study.py configs/studies/dap_table6.py --seeds 0 1 2
    python tools/study.py configs/studies/dap_table6.py --seeds 0 1 2 --commands 8    the trainings, for a cluster

Data: Kinetics-TPS in the official layout. Of its test videos only the actions are known, by their folders. Hardware: 8
GPUs.
"""

_base_ = ["../_base_/kinetics_tps.py", "../_base_/studies/dap_table6.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/dap_table6"
