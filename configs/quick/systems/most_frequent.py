"""The floor: the persons, parts and actions that DAP found, and for each part its most frequent state in training.

    python tools/reproduce.py configs/quick/systems/dap.py
    python tools/test.py configs/quick/systems/most_frequent.py

It reads the records of a run of DAP in the same work folder. The idea and what it scores on Kinetics-TPS are in the
2021 runner-up's report, table 1: 45.11.
"""

_base_ = ["../_base_/quick.py", "../../_base_/parsing_run.py"]

title = "most frequent states"
work_dir = "work_dirs/demo"

out_dir = "@work_dir/most_frequent"

model = dict(
    save_dir=None,
    stages=[
        dict(type="ReadParse", folder="@work_dir/parses/test", gives=["boxes", "part_boxes", "action"]),
        dict(type="MostFrequentStates", data_root="@data_root", split="@train_split"),
    ],
)
