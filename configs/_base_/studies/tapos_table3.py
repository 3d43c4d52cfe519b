"""Rows and columns of TAPOS, table 3 (what TransParser is made of), with the paper's numbers, at absolute distances."""

title = "TAPOS, table 3: TransParser"

parsers = "temporal_parsing"
rows = dict(
    one_without=dict(
        name="one unit, no local loss",
        config=f"{parsers}/transparser_1xsps_1xb8_tapos_no-local-loss.py",
        paper={"boundary/f1_abs": 28.97, "boundary/recall_abs": 69.50, "boundary/precision_abs": 18.32},
    ),
    one=dict(
        name="one unit",
        config=f"{parsers}/transparser_1xsps_1xb8_tapos.py",
        paper={"boundary/f1_abs": 39.96, "boundary/recall_abs": 53.54, "boundary/precision_abs": 31.89},
    ),
    two=dict(
        name="two units",
        config=f"{parsers}/transparser_2xsps_1xb8_tapos.py",
        paper={"boundary/f1_abs": 42.10, "boundary/recall_abs": 55.48, "boundary/precision_abs": 33.93},
    ),
)
columns = {
    "boundary/f1_abs": "F1",
    "boundary/recall_abs": "recall",
    "boundary/precision_abs": "precision",
    "boundary/f1_rel": "F1, relative",
}
