"""TransParser trained on TAPOS, tested on Kinetics-TPS: it writes the sub-actions that a recognizer there samples along.

Source: TAPOS (CVPR 2020), section 6.3, has recognition helped by parsing on TAPOS; on Kinetics-TPS it is this package's
addition. Nobody has annotated boundaries there, so that of the metrics only the number of predictions says something.

    python tools/test.py configs/frame_features/bn-inception_imagenet_tapos-224.py  # and with test_split=train
    python tools/test.py configs/frame_features/bn-inception_imagenet_kinetics-tps-224.py  # and with test_split=train
    python tools/train.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos_on-kinetics-tps.py
    python tools/test.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos_on-kinetics-tps.py
    python tools/test.py configs/temporal_parsing/transparser_2xsps_1xb8_tapos_on-kinetics-tps.py --cfg-options test_split=train test_evaluator.0.out_file=work_dirs/transparser_2xsps_1xb8_tapos_on-kinetics-tps/boundaries/train.json
    bash tools/dist_train.sh configs/action_recognition/pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb_sub-actions.py 8

Data: frame features of TAPOS and of Kinetics-TPS from one encoder, each made twice, for both splits, and TAPOS's
annotation in the tests too, whose actions the checkpoint is compared with. Hardware: as for the parent.
"""  # noqa: E501 - the names of configs

_base_ = "transparser_2xsps_1xb8_tapos.py"

title = "TransParser, on Kinetics-TPS"
features = "bn-inception_imagenet"
test_root, test_split = "data/kinetics_tps", "test"
train_dataloader = dict(dataset=dict(features=f"@data_root/features/{features}"))
on = dict(type="TPSFrameFeatureDataset", data_root="@test_root", taxonomy=None)
test_dataloader = dict(dataset=dict(**on, features=f"@test_root/features/{features}"))
test_evaluator = [dict(type="BoundaryMetric", method=title, out_file="@work_dir/boundaries/test.json")]
