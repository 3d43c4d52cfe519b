"""PCF's TSN on frames along the sub-actions that a TransParser has found; the rest is the parent's.

Source: an addition of this package, after TAPOS (2020), section 6.3, which has it on TAPOS. Not measured here.

    bash tools/dist_train.sh configs/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_sub-actions.py 8
    python tools/test.py configs/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_sub-actions.py CHECKPOINT

Data: as for the parent, and the boundaries of both splits, whose files transparser_2xsps_1xb8_tapos_on-kinetics-tps of
configs/temporal_parsing writes; those of another parser with --cfg-options segments=FOLDER. Hardware: as for the parent.
"""  # noqa: E501 - the names of configs

_base_ = "pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py"

segments = "work_dirs/transparser_2xsps_1xb8_tapos_on-kinetics-tps/boundaries"
train_pipeline = [dict(type="SampleAlongSegments", num_clips=3), *_base_.train_pipeline[1:]]
test_pipeline = [dict(type="SampleAlongSegments", num_clips=7, test_mode=True), *_base_.test_pipeline[1:]]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, segments="@segments/train.json"))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline, segments="@segments/test.json"))
