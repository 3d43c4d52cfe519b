"""TCN with one boundary for each run of frames above the threshold, at its highest, at quick size.

    python tools/train.py configs/quick/temporal_parsing/tcn_peaks_synthetic.py

Data: as for the parent, whose weights serve too. An addition of this package; in the paper every frame of a run is a
boundary. Hardware: as for the parent.
"""

_base_ = "tcn_synthetic.py"

title = "TCN, peaks"
model = dict(peaks=True)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
