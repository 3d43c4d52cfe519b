"""TCN with one boundary for each run of frames above the threshold, at its highest.

    python tools/train.py configs/temporal_parsing/tcn_peaks_tapos.py
    python tools/test.py configs/temporal_parsing/tcn_peaks_tapos.py CHECKPOINT

Data: as for the parent, whose weights serve too. An addition of this package; in the paper every frame of a run is a
boundary. Hardware: as for the parent.
"""

_base_ = "tcn_tapos.py"

title = "TCN, peaks"
model = dict(peaks=True)
test_evaluator = [
    dict(type="BoundaryMetric", method=title),
    dict(type="BoundaryMetric", rule="nearest", prefix="boundary_loose"),
]
