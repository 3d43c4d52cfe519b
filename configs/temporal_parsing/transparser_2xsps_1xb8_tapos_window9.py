"""TransParser whose most active pattern is that of the mean response over nine frames.

    python tools/train.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos_window9.py
    python tools/test.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos_window9.py CHECKPOINT

Data and hardware: as for the parent. An addition of this package: in the paper every flicker of the pattern is a
boundary. Weights of the parent serve it too.
"""

_base_ = "transparser_2xsps_1xb8_tapos.py"

title = "TransParser, window 9"
model = dict(window=9)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
