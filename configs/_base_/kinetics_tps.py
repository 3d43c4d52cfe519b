"""Where the data set lies, in its official layout, and which videos are used; the vocabularies are read from it."""

data_root = "data/kinetics_tps"
train_split = "train"
test_split = "test"  # without published annotations; dap/train and dap/val are named splits of the training videos
