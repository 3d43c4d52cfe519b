"""TransParser with one SPS unit, whose own responses have the local loss, at quick size: the second row of table 3
(absolute average F1 39.96, recall 53.54, precision 31.89 in the paper).

    python tools/train.py configs/quick/temporal_parsing/transparser_1xsps_1xb8_synthetic.py

Data and hardware: as for the parent.
"""

_base_ = "transparser_2xsps_1xb8_synthetic.py"

title = "TransParser, one unit"
model = dict(num_units=1)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
