"""What the quick studies share: their data set, and how the nine networks of a seed train within minutes."""

data_root = "work_dirs/studies/data"
work_dir = "work_dirs/studies/dap"
train_split = "dap/train"
test_split = "test"
# Neighbouring frames are much alike: half of them train nearly as well in half the time.
every_other_frame = {"train_dataloader.dataset.frame_step": 2}
by_task = dict(
    person_detection=every_other_frame,
    part_parsing=every_other_frame,
    # Ten epochs, as in the demo, are some 600 iterations, too few for a transformer.
    action_recognition={"train_cfg.max_epochs": 30},
)
