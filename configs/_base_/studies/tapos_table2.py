"""Rows and columns of TAPOS, table 2 (methods of temporal parsing), with the paper's numbers; the floors are ours."""

title = "TAPOS, table 2: sub-action boundaries"

parsers = "temporal_parsing"
rows = dict(
    floor_none=dict(name="no boundary (floor)", config=f"{parsers}/floor_none_tapos.py"),
    floor_even=dict(name="evenly spaced (floor)", config=f"{parsers}/floor_even_tapos.py"),
    kmeans=dict(
        name="k-means, k = 64",
        config=f"{parsers}/kmeans_k64_tapos.py",
        paper={"boundary/f1_rel": 33.02, "boundary/f1_abs": 28.81},
    ),
    isba=dict(
        name="ISBA, k = 64",
        config=f"{parsers}/isba_k64_tapos.py",
        paper={"boundary/f1_rel": 28.92, "boundary/f1_abs": 26.04},
    ),
    ctm=dict(
        name="CTM",
        config=f"{parsers}/ctm_tapos.py",
        paper={"boundary/f1_rel": 35.02, "boundary/f1_abs": 31.94},
    ),
    tcn=dict(
        name="TCN",
        config=f"{parsers}/tcn_tapos.py",
        paper={"boundary/f1_rel": 33.03, "boundary/f1_abs": 34.83},
    ),
    tcn_peaks=dict(name="TCN, one boundary a run (ours)", config=f"{parsers}/tcn_peaks_tapos.py"),
    transparser=dict(
        name="TransParser",
        config=f"{parsers}/transparser_2xsps_1xb8_tapos.py",
        paper={"boundary/f1_rel": 47.45, "boundary/f1_abs": 39.81},
    ),
    transparser_window9=dict(
        name="TransParser, mean response over nine frames (ours)",
        config=f"{parsers}/transparser_2xsps_1xb8_tapos_window9.py",
    ),
)
columns = {
    "boundary/f1_rel": "F1, relative",
    "boundary/f1_abs": "F1, absolute",
    "boundary/recall_rel": "recall, relative",
    "boundary/precision_rel": "precision, relative",
    "boundary_loose/f1_rel": "F1, relative, equation 7",
    "boundary_loose/f1_abs": "F1, absolute, equation 7",
}
