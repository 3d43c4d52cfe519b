"""TransParser with one SPS unit and without the local loss: the first row of table 3.

Source: TAPOS (CVPR 2020), table 3: absolute average F1 28.97, recall 69.50, precision 18.32 in the paper.

    python tools/train.py configs/temporal_parsing/transparser_1xsps_1xb8_tapos_no-local-loss.py
    python tools/test.py configs/temporal_parsing/transparser_1xsps_1xb8_tapos_no-local-loss.py CHECKPOINT

Data and hardware: as for the parent.
"""

_base_ = "transparser_2xsps_1xb8_tapos.py"

title = "TransParser, one unit, no local loss"
model = dict(num_units=1, local_weight=0.0)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
