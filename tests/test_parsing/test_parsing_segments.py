"""Stages of part states by segment: with narrow networks and random weights, and by hand. Tiny: A = K = S = 3."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from state_recognizers import save_weights, write_config

from tpsparse import apis
from tpsparse.datasets.tasks import segment_sample
from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ClassifySegments, EnsembleStates, check_row
from tpsparse.parsing.network import load_network, load_weights
from tpsparse.structures import FrameParse, LabelTable, SegmentScores, VideoParse
from tpsparse.taxonomy import Taxonomy

ARM = dict(group="arm")
ARM_PAIRS = [["lunge", "bend"], ["pull_ups", "bend"], ["pull_ups", "lift"], ["push_up", "bend"]]


@pytest.fixture(scope="module")
def recognizers(tiny_root, tmp_path_factory):
    """Config and weights of the arms' recognizers, of images and of clips."""
    folder = tmp_path_factory.mktemp("states")
    made = {}
    for kind in ("2d", "3d"):
        config = write_config(folder / f"{kind}.py", tiny_root, kind)
        made[kind] = str(config), str(save_weights(config, folder / f"{kind}-arm", ARM))
    return made


@pytest.fixture(scope="module")
def video(tiny_root):
    return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4")


def classify(recognizers, taxonomy, kind="2d", **changes):
    config, checkpoint = recognizers[kind]
    given = dict(name="arm", config=config, checkpoint=checkpoint, train_options=ARM, taxonomy=taxonomy)
    return ClassifySegments(**{**given, **changes})


def start(video, numbers=(1,)) -> VideoParse:
    frames = [FrameParse(number, np.zeros((0, 4))) for number in numbers]
    return VideoParse(video.name, size=video.size, num_frames=video.num_frames, fps=video.fps, frames=frames)


class TestClassifySegments:
    @pytest.mark.parametrize("kind", ["2d", "3d"])
    def test_against_the_network_itself(self, recognizers, video, tiny_taxonomy, kind):
        stage = classify(recognizers, tiny_taxonomy, kind)
        assert stage.gives == ["segments:arm"] and list(stage.needs) == []
        parse = start(video)
        stage.parse_video(video, parse)
        found = parse.segments["arm"]
        assert found.frames.tolist() == [[1, 6], [7, 12]] and found.scores.shape == (2, 3, 3)
        for row, (first, last) in enumerate(found.frames):
            sample = segment_sample(video.path, "v", np.array([first, last] * 2), fps=10.0, label=-1)
            item = stage.network.pipeline(sample)
            data = dict(inputs=[item["inputs"]], data_samples=[item["data_samples"]])
            with torch.no_grad():
                data = stage.network.model.data_preprocessor(data)
                features, extra = stage.network.model.extract_feat(data["inputs"], test_mode=True)
                scores = stage.network.model.cls_head(features, **extra).softmax(dim=1).mean(dim=0).numpy()
            # lunge bend, pull_ups bend, pull_ups lift, push_up bend
            expected = [[0, scores[0], 0], [0, scores[1], scores[2]], [0, scores[3], 0]]
            np.testing.assert_allclose(found.scores[row], expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("kind", ["2d", "3d"])
    def test_batches_do_not_matter(self, recognizers, video, tiny_taxonomy, kind):
        frame_by_frame = dict(type="FrameSegments", step=5, frames=4)
        found = []
        for size in (1, 2, 4):
            parse = start(video)
            classify(recognizers, tiny_taxonomy, kind, segments=frame_by_frame, batch_segments=size).parse_video(
                video, parse
            )
            found.append(parse.segments["arm"])
        assert found[0].frames.tolist() == [[1, 1], [6, 6], [11, 11]]
        for other in found[1:]:
            np.testing.assert_allclose(found[0].scores, other.scores, rtol=1e-4, atol=1e-6)
        assert np.abs(np.diff(found[0].scores, axis=0)).max() > 1e-6  # each is of its own stretch

    @pytest.mark.parametrize("kind", ["2d", "3d"])
    @pytest.mark.parametrize("frames", [1, 3])
    def test_shorter_than_a_clip_or_a_segment(self, recognizers, tiny_taxonomy, drawn, tmp_path, kind, frames):
        path = tmp_path / "kurz (é).mp4"
        drawn.encode(path, [drawn.draw_frame("lunge", number) for number in range(1, frames + 1)])
        short = Video(path)
        parse = start(short)
        classify(recognizers, tiny_taxonomy, kind).parse_video(short, parse)
        assert parse.segments["arm"].frames.tolist() == [[1, frames]]
        assert parse.segments["arm"].scores.sum() == pytest.approx(1, abs=1e-5)

    def test_unknown_frame_rate_is_one_segment(self, recognizers, video, tiny_taxonomy):
        unknown = Video(video.path)
        unknown.fps = 0.0
        parse = start(unknown)
        classify(recognizers, tiny_taxonomy).parse_video(unknown, parse)
        assert parse.segments["arm"].frames.tolist() == [[1, 12]]

    def test_no_data_set_is_needed(self, recognizers, tiny_taxonomy, tmp_path):
        options = dict(data_root=str(tmp_path / "gone"))
        stage = classify(recognizers, tiny_taxonomy, options=options)
        assert stage.network.config.label_table["labels"] == ARM_PAIRS

    def test_network_that_diverged(self, recognizers, video, tiny_taxonomy):
        stage = classify(recognizers, tiny_taxonomy)
        stage.network.model.cls_head.fc_cls.bias.data[1] = float("nan")
        with pytest.raises(InputError, match=r"push_up_test_0\.mp4 gets no probabilities from arm .*: train that"):
            stage.parse_video(video, start(video))

    def test_logits_are_refused(self, recognizers, tiny_taxonomy):
        with pytest.raises(InputError, match='gives no probabilities: set model.cls_head.average_clips to "prob"'):
            classify(recognizers, tiny_taxonomy, options={"model.cls_head.average_clips": "score"})

    def test_config_that_cuts_nothing(self, recognizers, tiny_taxonomy, tiny_root):
        whole = dict(type="TPSClipDataset", data_root=str(tiny_root), taxonomy="@taxonomy", _delete_=True)
        with pytest.raises(InputError, match="does not say how videos are cut: give segments"):
            classify(recognizers, tiny_taxonomy, options={"test_dataloader.dataset": whole})


class TestLabelsOfCheckpoints:
    def test_of_another_group(self, recognizers, tiny_taxonomy):
        with pytest.raises(InputError, match=r"epoch_1\.pth tells states of part group arm, not of head: give that"):
            classify(recognizers, tiny_taxonomy, train_options=dict(group="head"))

    @pytest.mark.parametrize(
        ("asked", "told"),
        [(10, "not on segments of 10 s"), (0.61, "not on segments of 0.61 s"), (None, "not on whole videos")],
    )
    def test_of_segments_of_another_length(self, recognizers, tiny_taxonomy, asked, told):
        with pytest.raises(InputError) as error:
            classify(recognizers, tiny_taxonomy, options=dict(seconds=asked))
        assert "epoch_1.pth was trained on segments of 0.6 s, " + told + " as " in str(error.value)
        assert str(error.value).endswith("2d.py asks: give a checkpoint of those, or set seconds=0.6")

    def test_of_whole_videos_where_segments_are_asked_for(self, recognizers, tiny_taxonomy, tmp_path):
        config = recognizers["2d"][0]
        folder = save_weights(config, tmp_path / "run", ARM, seconds=None)
        told = r"was trained on whole videos, not on segments of 0\.6 s as .* seconds=None$"
        with pytest.raises(InputError, match=told):
            load_network(config, str(folder), tiny_taxonomy, ARM)
        load_network(config, str(folder), tiny_taxonomy, {**ARM, "seconds": None})

    @pytest.mark.parametrize(
        ("changes", "strange"),
        [
            (dict(labels=[*ARM_PAIRS[:3], ["push_up", "moonwalk"]]), "state moonwalk"),
            (dict(labels=[*ARM_PAIRS[:3], ["flying", "bend"]]), "action flying"),
        ],
    )
    def test_names_that_the_data_does_not_have(self, recognizers, tiny_taxonomy, tmp_path, changes, strange):
        config = recognizers["2d"][0]
        folder = save_weights(config, tmp_path / "run (ä)", ARM, **changes)
        with pytest.raises(InputError, match=rf"epoch_1\.pth has labels that .* \({strange}\): use its own data set"):
            load_network(config, str(folder), tiny_taxonomy, ARM)

    def test_that_does_not_know_them(self, recognizers, tiny_taxonomy, tmp_path):
        config, folder = recognizers["2d"]
        content = torch.load(f"{folder}/epoch_1.pth")
        del content["meta"]["dataset_meta"]["label_table"]
        torch.save(content, tmp_path / "bare.pth")
        with pytest.raises(InputError, match=r"bare\.pth does not say what its outputs stand for, as .*2d\.py asks"):
            load_network(config, str(tmp_path / "bare.pth"), tiny_taxonomy, ARM)

    def test_missing_checkpoint_tells_how_to_train_that_group(self, recognizers, tiny_taxonomy):
        with pytest.raises(InputError, match=r"--work-dir work/net-arm --cfg-options group=arm$"):
            load_network(recognizers["2d"][0], "work/net-arm", tiny_taxonomy, {**ARM, "model.test_cfg": None})

    def test_of_other_training_data(self, recognizers, tiny_taxonomy, tmp_path):
        """Where the labels are derived from the data at hand, as in a network's own test."""
        config, folder = recognizers["2d"]
        network = load_network(config, folder, tiny_taxonomy, ARM)
        own = load_config(config, options=ARM)
        load_weights(network.model, folder, tiny_taxonomy, config, label_table=own.label_table)
        turned = LabelTable.from_meta(dict(own.label_table, labels=ARM_PAIRS[::-1])).to_meta()
        with pytest.raises(
            InputError, match=r"was trained with other labels \(4 of arm\) than .* \(4 of arm\): use its"
        ):
            load_weights(network.model, folder, tiny_taxonomy, config, label_table=turned)
        longer = dict(own.label_table, seconds=3)
        told = r"^.*epoch_1\.pth was trained on segments of 0\.6 s, not on segments of 3 s: repeat with seconds=0\.6"
        with pytest.raises(InputError, match=told):
            load_weights(network.model, folder, tiny_taxonomy, config, label_table=longer)
        torch.save(network.model.state_dict(), tmp_path / "bare.pth")
        load_weights(network.model, str(tmp_path / "bare.pth"), tiny_taxonomy, config, label_table=turned)


# K = 3: head, left arm, right arm; A = 2, S = 3.
NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend", "lift"), actions=("a", "b"))
BOX = [0.0, 0.0, 9.0, 9.0]
NAN = [np.nan] * 4


def segments(frames, *rows):
    """Scores by (action, state) of each segment."""
    scores = np.zeros((len(rows), 2, 3), dtype=np.float32)
    for place, row in enumerate(rows):
        for pair, value in row.items():
            scores[(place, *pair)] = value
    return SegmentScores(frames, scores)


def record(action=None, persons=2, **members) -> VideoParse:
    frames = []
    for number in (1, 6, 11):
        boxes = np.array([[BOX, BOX, BOX], [BOX, NAN, BOX]], dtype=np.float32)[:persons]
        frames.append(
            FrameParse(number, np.zeros((persons, 4)), part_boxes=boxes, state_scores=np.ones((persons, 3, 3)))
        )
    actions = {} if action is None else {"action": np.eye(2, dtype=np.float32)[action]}
    return VideoParse("v", num_frames=12, frames=frames, action_scores=actions, segments=members)


HEADS = segments([[1, 12]], {(0, 0): 1.0})


def run(parse, within_action=False, **arm_weights):
    stage = EnsembleStates(
        weights=dict(head=dict(heads=1), arm=arm_weights), taxonomy=NAMES, within_action=within_action
    )
    stage.parse_video(None, parse)
    for frame in parse.frames:
        frame.check()
        assert frame.state_scores is None
    return stage, parse


class TestEnsembleStates:
    def test_by_hand(self):
        # Two segments and, of the second recognizer, the whole video: 1 : 3 of b lift.
        first = segments([[1, 6], [7, 12]], {(0, 1): 0.9, (1, 2): 0.1}, {(0, 1): 0.2, (1, 2): 0.8})
        second = segments([[1, 12]], {(0, 1): 0.4, (1, 2): 0.6})
        stage, parse = run(record(heads=HEADS, one=first, two=second), one=1.0, two=3.0)
        assert stage.needs == ["part_boxes", "segments:heads", "segments:one", "segments:two"]
        # Frames 1 and 6: (0.9 + 1.2) / 4 against (0.1 + 1.8) / 4; frame 11: (0.2 + 1.2) / 4 against (0.8 + 1.8) / 4.
        bent, lifted = [[0, 1, 1], [0, -1, 1]], [[0, 2, 2], [0, -1, 2]]  # the second person has no left arm
        assert [frame.part_states.tolist() for frame in parse.frames] == [bent, bent, lifted]
        assert parse.frames[0].part_states.dtype == np.int64

    def test_frames_between_take_the_nearest(self):
        single = segments([[1, 1], [7, 7]], {(0, 1): 1.0}, {(0, 2): 1.0})
        _, parse = run(record(heads=HEADS, one=single), one=1.0)
        assert [frame.part_states[0, 1] for frame in parse.frames] == [1, 2, 2]

    @pytest.mark.parametrize(
        ("scores", "action", "free", "within"),
        [
            ({(0, 1): 0.3, (0, 2): 0.1, (1, 2): 0.6}, 0, 2, 1),
            ({(0, 1): 0.3, (0, 2): 0.1, (1, 2): 0.6}, 1, 2, 2),
            ({(0, 1): 0.4, (0, 2): 0.6}, 1, 2, 2),  # action b has no label: all compete
            ({(0, 1): 0.25, (0, 2): 0.25, (1, 0): 0.25, (1, 2): 0.25}, 1, 1, 0),  # ties go to the first
        ],
        ids=["another action's is best", "its own", "no label", "tie"],
    )
    def test_within_the_action(self, scores, action, free, within):
        for chosen, expected in ((False, free), (True, within)):
            stage, parse = run(record(action, heads=HEADS, one=segments([[1, 12]], scores)), chosen, one=2.0)
            assert [frame.part_states[0, 2] for frame in parse.frames] == [expected] * 3
            assert ("action" in stage.needs) == chosen

    def test_weight_zero_needs_no_stage(self):
        only = segments([[1, 12]], {(1, 2): 1.0})
        stage, parse = run(record(heads=HEADS, one=only), one=1.0, two=0.0)
        assert stage.needs == ["part_boxes", "segments:heads", "segments:one"]
        assert parse.frames[0].part_states[0].tolist() == [0, 2, 2]

    def test_frames_without_persons_and_videos_without_frames(self):
        parse = record(heads=HEADS, one=HEADS, persons=0)
        parse.frames[1].part_boxes = None  # a stage may pass over such a frame
        run(parse, one=1.0)
        assert [frame.part_states.shape for frame in parse.frames] == [(0, 3)] * 3
        run(VideoParse("v", segments=dict(heads=HEADS, one=HEADS)), one=1.0)

    @pytest.mark.parametrize(
        ("weights", "told"),
        [
            (dict(head=dict(a=1)), "do not cover arm: give one entry for each of head, arm"),
            ({}, "do not cover head, arm: give"),
            (dict(head=dict(a=1), arm=dict(a=1), foot=dict(a=1)), "name foot: give one entry for each of head, arm"),
            (dict(left_arm=dict(a=1)), "do not cover head, arm and name left_arm: give"),
            (dict(head=dict(a=1), arm=dict(a=0, b=0.0)), "for arm must not be negative, nor all zero"),
            (dict(head=dict(a=1), arm={}), "for arm must not be negative, nor all zero"),
            (dict(head=dict(a=2, b=-1), arm=dict(a=1)), "for head must not be negative, nor all zero"),
            (dict(head=dict(a=float("nan")), arm=dict(a=1)), "for head must not be negative, nor all zero"),
        ],
        ids=["lacking", "none", "strange", "a side", "zero", "empty", "negative", "nan"],
    )
    def test_weights_that_cannot_be(self, weights, told):
        with pytest.raises(InputError, match=told):
            EnsembleStates(weights=weights, taxonomy=NAMES)

    def test_row_in_which_scores_are_not_given(self, recognizers, tiny_taxonomy):
        given = classify(recognizers, tiny_taxonomy)
        stage = EnsembleStates(weights=dict(head=dict(arm=1), arm=dict(arms=1)), taxonomy=tiny_taxonomy)
        stage.needs.remove("part_boxes")
        with pytest.raises(
            InputError, match="EnsembleStates needs segments:arms, but the stages before it give segments"
        ):
            check_row([given, stage])


def test_trained_by_a_run_and_used_by_a_system(tiny_root, tiny_taxonomy, tmp_path, scope):
    """From a config to a checkpoint with its labels, its own test, a system, and the readable parse."""
    config = write_config(tmp_path / "net.py", tiny_root)
    for group in ("head", "arm"):
        cfg = load_config(config, options=dict(group=group), work_dir=tmp_path / f"net-{group}")
        apis.train(cfg)
    own = load_config(config, options=ARM, work_dir=tmp_path / "net-arm")
    stored = torch.load(tmp_path / "net-arm" / "epoch_1.pth", weights_only=False)["meta"]["dataset_meta"]
    assert stored["label_table"] == {"group": "arm", "seconds": 0.6, "labels": ARM_PAIRS}
    metrics, _ = apis.test(own)
    assert set(metrics) == {"state/arm", "state/label_top1_arm"}
    # The six segments of the test videos have arms bent 11, 6, 6, 2, 22, 12 times and lifted 0, 4, 5, 8, 0, 8 times.
    assert 0 <= metrics["state/arm"] <= (11 + 6 + 6 + 8 + 22 + 12) / 84
    system = tmp_path / "system.py"
    system.write_text(
        f"""
data_root = {str(tiny_root)!r}
work_dir = {str(tmp_path)!r}
net = dict(type="ClassifySegments", config={str(config)!r})
model = dict(
    type="ActionParser", taxonomy="@taxonomy", frames=dict(type="EveryFrame", step=5), save_dir="@work_dir/parses",
    stages=[
        dict(net, name="head", train_options=dict(group="head")),
        dict(net, name="arm", train_options=dict(group="arm")),
    ],
)
"""
    )
    parser, _ = apis.build_parser(system)
    path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
    apis.parse_to_folder(parser, tiny_taxonomy, path, tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "parse.json").read_text())["segments"]
    assert set(listed) == {"head", "arm"} and [row["first"] for row in listed["arm"]] == [1, 7]
    assert {row["state"] for row in listed["head"]} == {"none"}
