"""A system: stages fill the record of each test video, which is scored and written as a submission."""

out_dir = "@work_dir"
# Or "fast", with values that differ from it: see tpsparse/runtime/settings.py.
runtime = dict(preset="exact")

model = dict(
    type="ActionParser",
    taxonomy="@taxonomy",
    frames=dict(type="EveryFrame", step=5),  # the frames that the challenge evaluates
    save_dir="@out_dir/parses/test",
    runtime="@runtime",
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="VideoDataset", data_root="@data_root", taxonomy="@taxonomy", split="@test_split"),
)
test_evaluator = dict(type="KineticsTPSMetric", taxonomy="@taxonomy", out_dir="@out_dir")
test_cfg = dict()
