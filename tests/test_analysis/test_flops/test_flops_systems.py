"""What a system costs, by hand and against table III of the PCF report."""

from __future__ import annotations

import pytest
from tiny import CONFIGS, QUICK, QUICK_SYSTEM, quick_config

from tpsparse.analysis.flops import (
    Video,
    cut_of,
    network_complexity,
    official_sizes,
    segments_a_second,
    system_complexity,
    system_costs,
    systems,
    total,
)
from tpsparse.datasets.segments import EqualSegments, FrameSegments
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

NAMES = official_sizes()
GROUPS = 6


def test_totals(tiny_root):
    names = Taxonomy.from_root(tiny_root)
    stages = system_complexity(QUICK_SYSTEM, names)
    assert [stage.unit for stage in stages] == ["frame", "person", "video", "video", "video"]
    detector, parts, *videos = (stage.multiply_adds for stage in stages)
    assert total(stages, "frame", persons=4) == detector + 4 * parts
    assert total(stages, "video") == sum(videos)


def test_a_network_is_no_system():
    with pytest.raises(InputError, match="is of no system: give one of configs/systems"):
        system_complexity(quick_config("feature_fusion"), NAMES)


class TestSecondOfVideo:
    @pytest.fixture(scope="class")
    def config(self, tmp_path_factory):
        """The quick system's persons, parts and one recognizer, every third frame, and a rule."""
        path = tmp_path_factory.mktemp("systems") / "small (ü).py"
        stages = "*(_base_.stages[name] for name in ('persons', 'parts', 'swin'))"
        stages = f"[{stages}, dict(type='EnsembleActions', weights=dict(swin=1)), dict(type='EstimatePoseMediaPipe')]"
        frames = "dict(type='EveryFrame', step=3)"
        path.write_text(f"_base_ = {str(QUICK_SYSTEM)!r}\nmodel = dict(frames={frames}, stages={stages})\n")
        return path

    def test_by_hand(self, config):
        persons, parts, swin, rule, pose = system_costs(config, NAMES, Video(fps=30, duration=4, persons=2))
        assert [cost.inputs for cost in (persons, parts, swin)] == [10, 20, 1 / 4]
        assert parts.multiply_adds == 20 * parts.network.multiply_adds
        assert [cost.stage for cost in (persons, swin)] == ["DetectPersons", "swin"]
        assert [cost.about for cost in (persons, parts, swin)] == ["frames", "persons", "videos"]
        assert (rule.about, pose.about) == ("no network", "not counted")
        assert rule.multiply_adds == pose.multiply_adds == 0 and rule.to_json()["config"] is None

    def test_other_step(self, config):
        persons, *_ = system_costs(config, NAMES, Video(fps=30, step=5))
        assert persons.inputs == 6

    def test_frames_that_stages_ask_for(self):
        """Every fifth of 20 frames, and eight spread evenly: 1, 6, 11, 16 and 2, 4, 7, 9, 12, 14, 17, 19."""
        persons, *_ = system_costs(QUICK_SYSTEM, NAMES, Video(fps=10, duration=2))
        assert persons.inputs == (4 + 8) / 2


class TestSegments:
    VIDEO = Video(fps=15, duration=10)

    @pytest.mark.parametrize(
        ("segmenter", "seconds", "a_video"),
        [
            (EqualSegments(3.0), 3.0, 10 / 3),
            (EqualSegments(None), None, 1),
            (EqualSegments(10.0), 10.0, 1),
            (EqualSegments(20.0), 20.0, 1),  # the video is shorter than a segment
            # Whole clips: 22 of the 22.5 in 3 s.
            (FrameSegments(2, 32), 3.0, 22 * 10 / 3),
            (FrameSegments(2, 64), 3.0, 22 * 10 / 3),
            (FrameSegments(2, 150), None, 75),
            (FrameSegments(1000, 45), 3.0, 10 / 3),
        ],
    )
    def test_a_second(self, segmenter, seconds, a_video):
        assert segments_a_second(segmenter, self.VIDEO, seconds) == pytest.approx(a_video / 10)

    @pytest.mark.parametrize(
        ("segmenter", "seconds", "counted", "cut"),
        [
            (EqualSegments(3.0), 3.0, 9.91 / 3, 3),
            (EqualSegments(10.0), 10.0, 1, 1),
            (EqualSegments(None), None, 1, 1),
            (FrameSegments(2, 64), 3.0, 22 * 9.91 / 3, 75),  # frames 1, 3 ... 149
        ],
    )
    def test_one_video_is_cut_into_a_whole_number(self, segmenter, seconds, counted, cut):
        video = Video()
        segments = segmenter(149, 15.0)  # 15 times 9.91 is 148.65
        assert len(segments) == cut_of(segmenter, video) == cut
        assert segments_a_second(segmenter, video, seconds) * video.duration == pytest.approx(counted)

    def test_unknown_segmenter(self):
        with pytest.raises(InputError, match="list cuts a video into an unknown number of segments"):
            segments_a_second([], self.VIDEO, 3.0)


class TestTable3:
    """PCF report, table III: 36.12, 11.50 and 3.482 TFLOPs for frames, segments of 3 s and of 10 s."""

    @pytest.fixture(scope="class")
    def counted(self):
        """What was counted before, by config and options: the same few networks of 152 layers in every test."""
        return {}

    @pytest.fixture
    def costs(self, counted, monkeypatch):
        def count(config, taxonomy, options):
            key = f"{config} {options.get('test_pipeline.0.num_clips')}"
            counted[key] = counted.get(key) or network_complexity(config, taxonomy, options=options)
            return counted[key]

        monkeypatch.setattr(systems, "network_complexity", count)

        def cost(name, **video):
            found = system_costs(CONFIGS / "systems" / f"pcf_states-{name}.py", NAMES, Video(**video))
            assert [each.about for each in found] == ["no network", *["segments"] * GROUPS, "no network"]
            return sum(each.multiply_adds for each in found)

        return cost

    def test_segments(self, costs):
        assert costs("3s") / costs("10s") == pytest.approx(11.50 / 3.482, abs=0.005)
        assert costs("3s", duration=10) / costs("10s", duration=10) == pytest.approx(10 / 3)

    def test_frames(self, costs):
        assert costs("frame") / costs("3s") == pytest.approx(22 / 7)
        assert round(22 / 7, 2) == round(36.12 / 11.50, 2) == 3.14

    def test_a_segment(self, costs):
        """Seven clips of ip-CSN-152 for each of six groups, and the clip that the report's number is 32 times."""
        a_segment = costs("10s") * 9.91
        clip = a_segment / (7 * GROUPS)
        assert clip * 32 / 1e12 == pytest.approx(3.482, abs=0.001)


def test_quick_system_with_every_kind_of_stage():
    found = {cost.stage: cost for cost in system_costs(QUICK / "systems" / "pcf.py", NAMES)}
    abouts = {name: cost.about for name, cost in found.items()}
    assert abouts["DetectPersons"] == "frames" and abouts["EstimatePose"] == abouts["ParseParts"] == "persons"
    assert abouts["csn_ip"] == "videos" and abouts["ip_3s_head"] == "segments" and abouts["GrowBoxes"] == "no network"
    assert len({cost.multiply_adds for name, cost in found.items() if name.startswith("ip_3s")}) == 1
    assert (found["ip_3s_head"].cut, found["csn_ip"].cut, found["GrowBoxes"].cut) == (3, None, None)
