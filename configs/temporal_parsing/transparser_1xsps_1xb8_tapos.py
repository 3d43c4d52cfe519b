"""TransParser with one SPS unit, whose own responses have the local loss: the second row of table 3.

Source: TAPOS (CVPR 2020), table 3: absolute average F1 39.96, recall 53.54, precision 31.89 in the paper.

    python tools/train.py configs/temporal_parsing/transparser_1xsps_1xb8_tapos.py
    python tools/test.py configs/temporal_parsing/transparser_1xsps_1xb8_tapos.py CHECKPOINT

Data and hardware: as for the parent.
"""

_base_ = "transparser_2xsps_1xb8_tapos.py"

title = "TransParser, one unit"
model = dict(num_units=1)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
