"""TransParser with one SPS unit and without the local loss, at quick size: the first row of table 3
(absolute average F1 28.97, recall 69.50, precision 18.32 in the paper).

    python tools/train.py configs/quick/temporal_parsing/transparser_1xsps_1xb8_synthetic_no-local-loss.py

Data and hardware: as for the parent.
"""

_base_ = "transparser_2xsps_1xb8_synthetic.py"

title = "TransParser, one unit, no local loss"
model = dict(num_units=1, local_weight=0.0)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
