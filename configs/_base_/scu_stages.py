"""The stages that SCU (2022) is made of, at full size, each named once for all systems."""

configs = "{{ fileDirname }}/.."

sequence = dict(
    type="FuseFeatures",
    name="scu",
    frames=dict(type="EvenFrames", num=32),
    # Frames are drawn at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=96),
)
# Most ablations begin alike: each goes on from the records that are kept behind a stage.
stages = dict(
    persons=dict(
        type="DetectPersons", config=f"{configs}/person_detection/cascade-rcnn_r101_fpn_8xb2-12e_kinetics-tps.py"
    ),
    parts=dict(
        type="DetectPartsAndObjects",
        keep="@work_dir/parses/scu_parts",
        config=f"{configs}/part_detection/scu_faster-rcnn_vgg16_1xb1_kinetics-tps.py",
        min_inside=0.5,  # of a part's area, in the box of its person
        max_objects=10,
        min_object_score=0.3,
    ),
    states=dict(
        type="ParsePartStates",
        keep="@work_dir/parses/scu_states",
        config=f"{configs}/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224.py",
    ),
    states_no_relevance=dict(
        type="ParsePartStates",
        config=f"{configs}/part_parsing/scu_part-states_vgg16_1xb8-12e_kinetics-tps-224_no-relevance.py",
    ),
    **{
        name: dict(sequence, config=f"{configs}/feature_fusion/{config}.py")
        for name, config in dict(
            lstm="scu_lstm_1xb32-30e_kinetics-tps",
            lstm_no_relevance="scu_lstm_1xb32-30e_kinetics-tps_no-relevance",
            lstm_no_language="scu_lstm_1xb32-30e_kinetics-tps_no-language",
            lstm_language_only="scu_lstm_1xb32-30e_kinetics-tps_language-only",
            mean="scu_mean_1xb32-30e_kinetics-tps",
        ).items()
    },
    action=dict(type="EnsembleActions", weights=dict(scu=1)),
)
