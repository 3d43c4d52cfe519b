"""The stages that SCU (2022) is made of, at quick size, each named once for all systems."""

quick = "{{ fileDirname }}/.."

sequence = dict(
    type="FuseFeatures",
    name="scu",
    frames=dict(type="EvenFrames", num=8),
    # Frames are drawn at random in training: more are saved than one sample takes.
    train_frames=dict(type="EvenFrames", num=12),
)
# Most ablations begin alike: each goes on from the records that are kept behind a stage.
stages = dict(
    persons=dict(type="DetectPersons", config=f"{quick}/person_detection/cascade-rcnn_r18_fpn_1xb8_synthetic.py"),
    parts=dict(
        type="DetectPartsAndObjects",
        keep="@work_dir/parses/scu_parts",
        config=f"{quick}/part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py",
        min_inside=0.5,  # of a part's area, in the box of its person
        max_objects=10,
        min_object_score=0.3,
    ),
    states=dict(
        type="ParsePartStates",
        keep="@work_dir/parses/scu_states",
        config=f"{quick}/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256.py",
    ),
    states_no_relevance=dict(
        type="ParsePartStates", config=f"{quick}/part_parsing/scu_part-states_vgg11_1xb8_synthetic-256_no-relevance.py"
    ),
    **{
        name: dict(sequence, config=f"{quick}/feature_fusion/{config}.py")
        for name, config in dict(
            lstm="scu_lstm_1xb16_synthetic",
            lstm_no_relevance="scu_lstm_1xb16_synthetic_no-relevance",
            lstm_no_language="scu_lstm_1xb16_synthetic_no-language",
            lstm_language_only="scu_lstm_1xb16_synthetic_language-only",
            mean="scu_mean_1xb16_synthetic",
        ).items()
    },
    action=dict(type="EnsembleActions", weights=dict(scu=1)),
)
