"""Where the data set lies, in its official layout; the vocabularies are read from it."""

data_root = "data/kinetics_tps"
