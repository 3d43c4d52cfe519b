"""SCU and its ablations at quick size.

    make study-data language
    python tools/study.py configs/quick/studies/scu_ablations.py --seeds 0 1 2

Data: 12 synthetic actions. Hardware: two CPU cores. Results: docs/results.md.
"""

_base_ = ["../_base_/study.py", "../../_base_/studies/scu_ablations.py"]

configs = "{{ fileDirname }}/.."
work_dir = "work_dirs/studies/scu"
by_task = dict(
    _delete_=True,
    # Neighbouring frames are much alike: half of them train nearly as well in half the time.
    person_detection={"train_dataloader.dataset.frame_step": 2},
)
