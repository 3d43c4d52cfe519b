"""DAP part parsing, quick, tested on the crop and on its mirror image: twice the work.

Training and weights are the parent's.

    python tools/train.py configs/quick/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py
    python tools/test.py configs/quick/part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96_flip.py

Weights: of the base config's run, or as given behind the config. Data: the synthetic data set of `make demo`.
"""

_base_ = "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"

work_dir = "work_dirs/dap_parsing-hrnet-w16_1xb16_synthetic-128x96"
model = dict(test_cfg=dict(flip_test=True))
