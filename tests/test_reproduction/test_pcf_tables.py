"""Rows of PCF's tables I to III and of the 2021 runner-up's tables 1 to 3: their configs are what the rows say.

The numbers below are copied by hand from the reports: Chen et al., "Part-level Action Parsing via a Pose-guided
Coarse-to-Fine Framework" (2022), and the 2021 runner-up's report.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
BOTH_SIZES = pytest.mark.parametrize("folder", [CONFIGS, CONFIGS / "quick"], ids=["full", "quick"])
GROUPS = ("head", "arm", "hand", "hip", "leg", "foot")

# Video accuracy and ROC score.
TABLE_I = {"tsn_rgb": (74.03, 49.23), "tsn_flow": (83.48, 54.33), "csn": (96.46, 60.89)}
# AP and AP50, without and with pose.
TABLE_II = {
    "persons": (74.60, 93.40),
    "persons_pose": (74.80, 93.80),
    "parts": (36.40, 53.10),
    "parts_pose": (57.10, 79.70),
}
# In the order of GROUPS, which is that of the table.
TABLE_III = {
    "frame": (92.46, 68.11, 68.50, 84.19, 66.27, 65.47),
    "segment_3s": (92.46, 68.07, 68.43, 84.14, 66.14, 65.36),
    "segment_10s": (92.44, 67.69, 68.10, 83.99, 65.59, 65.02),
}
# The runner-up's submissions: video accuracy and test score.
SUBMISSIONS = {
    "baseline": (86.57, 45.11),
    "ensemble": (96.78, 50.22),
    "pose": (96.78, 58.31),
    "grown": (96.78, 58.66),
    "video": (96.78, 61.10),
    "fused": (96.78, 61.37),
}
LADDER = ("_1-baseline", "_2-frozen-ensemble", "_3-pose", "_4-grown-boxes", "_5-video-states", "")
# The runner-up's tables 2 and 3: weights of ip-CSN-152 and ir-CSN-152.
STATE_WEIGHTS = {
    "head": (1.413, 1.0),
    "hand": (1.314, 1.0),
    "arm": (1.0, 0.0),
    "hip": (1.906, 1.0),
    "leg": (3.515, 1.0),
    "foot": (1.576, 1.0),
}
ACTION_WEIGHTS = (7.0, 1.0)


def read(path: Path) -> dict:
    return Config.fromfile(path, lazy_import=False).to_dict()


def rows_of(study: str) -> dict:
    return read(CONFIGS / "_base_" / "studies" / f"{study}.py")["rows"]


def paper_of(study: str) -> dict:
    """The report's numbers by row."""
    return {name: row["paper"] for name, row in rows_of(study).items()}


def system(folder: Path, name: str) -> dict:
    return read(folder / "systems" / f"{name}.py")


def stages_of(cfg: dict) -> list[str]:
    """The names in ``pcf_stages.py`` of a system's stages; a stage of the system's own is itself."""
    known = {}
    for name, stage in cfg["stages"].items():
        known |= {str(each): name for each in (stage if isinstance(stage, list) else [stage])}
    found = []
    for stage in cfg["model"]["stages"]:
        for each in stage if isinstance(stage, list) else [stage]:
            name = known.get(str(each), each)
            # The recognizers of the six groups are one stage there.
            if not found or name != found[-1]:
                found.append(name)
    return found


def test_numbers_of_table_i():
    assert paper_of("pcf_table1") == {
        row: {"tps/action_top1": top1, "tps/score": score} for row, (top1, score) in TABLE_I.items()
    }


def test_numbers_of_table_ii():
    names = {"persons": ("person/AP", "person/AP50"), "parts": ("part/part_AP", "part/part_AP50")}
    assert paper_of("pcf_table2") == {
        row: dict(zip(names[row.removesuffix("_pose")], numbers, strict=True)) for row, numbers in TABLE_II.items()
    }


def test_numbers_of_table_iii():
    assert paper_of("pcf_table3") == {
        row: {f"state/{group}": number for group, number in zip(GROUPS, numbers, strict=True)}
        for row, numbers in TABLE_III.items()
    }


def test_numbers_of_the_submissions():
    rows = rows_of("runner_up_table1")
    assert list(rows) == list(SUBMISSIONS)
    assert paper_of("runner_up_table1") == {
        row: {"tps/action_top1": top1, "tps/score": score} for row, (top1, score) in SUBMISSIONS.items()
    }
    assert [row["config"] for row in rows.values()] == [f"systems/runner_up_2021{name}.py" for name in LADDER]


@pytest.mark.parametrize(
    ("study", "named"),
    [
        ("pcf_table1", {"tsn_rgb": "pcf_tsn-rgb", "tsn_flow": "pcf_tsn-flow", "csn": "pcf"}),
        ("pcf_table2", {row: f"pcf_{row.replace('_', '-')}" for row in TABLE_II}),
        (
            "pcf_table3",
            {"frame": "pcf_states-frame", "segment_3s": "pcf_states-3s", "segment_10s": "pcf_states-10s"},
        ),
    ],
)
def test_studies_name_the_systems_of_their_rows(study, named):
    assert {row: each["config"] for row, each in rows_of(study).items()} == {
        row: f"systems/{name}.py" for row, name in named.items()
    }


@BOTH_SIZES
@pytest.mark.parametrize(
    ("row", "recognizer", "states"),
    [("tsn-rgb", "tsn_rgb", "rgb_3s"), ("tsn-flow", "tsn_flow", "flow_3s"), ("", "csn_ip", "ip_3s")],
    ids=["rgb", "flow", "csn"],
)
def test_systems_of_table_i_differ_in_their_recognizers(folder, row, recognizer, states):
    cfg = system(folder, f"pcf_{row}".rstrip("_"))
    expected = ["persons", "pose", "grow", "parts", recognizer, states, f"{states}_states"]
    found = [name for name in stages_of(cfg) if isinstance(name, str)]
    assert found == expected
    [own] = [stage for stage in stages_of(cfg) if not isinstance(stage, str)]
    assert own == dict(type="EnsembleActions", weights={recognizer: 1})


@BOTH_SIZES
def test_fusion_weights(folder):
    stages = read(folder / "_base_" / "pcf_stages.py")["stages"]
    assert stages["two_csn"]["weights"] == dict(zip(("csn_ip", "csn_ir"), ACTION_WEIGHTS, strict=True))
    assert stages["two_csn_states"]["weights"] == {
        group: dict(zip((f"ip_video_{group}", f"ir_video_{group}"), weights, strict=True))
        for group, weights in STATE_WEIGHTS.items()
    }


def test_full_and_quick_fuse_alike():
    full, quick = (read(folder / "_base_" / "pcf_stages.py")["stages"] for folder in (CONFIGS, CONFIGS / "quick"))
    assert set(full) == set(quick)
    fused = [name for name, stage in full.items() if "Ensemble" in str(stage)]
    assert {"two_csn", "two_csn_states", "ip_3s_states"} <= set(fused)
    assert {name: full[name] for name in fused} == {name: quick[name] for name in fused}


def without(names: list, *left_out: str) -> list:
    """The stages but for these, each of which must be there."""
    assert all(names.count(name) == 1 for name in left_out)
    return [name for name in names if name not in left_out]


@BOTH_SIZES
class TestLadder:
    """Each submission is the one before with the change that the report's table names, and no other."""

    @pytest.fixture
    def rungs(self, folder):
        return [stages_of(system(folder, f"runner_up_2021{name}")) for name in LADDER]

    def test_first_is_the_baseline(self, rungs):
        own = dict(type="EnsembleActions", weights=dict(csn_ip_bn=1))
        assert rungs[0] == ["persons", "parts_no_pose", "csn_ip_bn", own, "most_frequent"]

    def test_second_freezes_and_fuses(self, rungs):
        first, second = rungs[:2]
        kept = [name for name in without(first, "csn_ip_bn") if isinstance(name, str)]
        assert without(second, "csn_ip", "csn_ir", "two_csn") == kept == ["persons", "parts_no_pose", "most_frequent"]

    def test_third_paints_keypoints(self, rungs):
        swapped = [name.replace("parts_no_pose", "parts") for name in rungs[1]]
        assert without(rungs[2], "pose") == swapped != rungs[1]
        assert rungs[2].index("pose") == rungs[2].index("parts") - 1

    def test_fourth_grows_boxes(self, rungs):
        assert without(rungs[3], "grow") == rungs[2]
        order = [rungs[3].index(name) for name in ("persons", "pose", "grow", "parts")]
        assert order == sorted(order)

    def test_fifth_recognizes_states_of_videos(self, rungs):
        assert without(rungs[4], "ip_video", "ip_video_states") == without(rungs[3], "most_frequent")

    def test_sixth_fuses_states(self, rungs):
        assert without(rungs[5], "ir_video", "two_csn_states") == without(rungs[4], "ip_video_states")

    def test_nothing_else_differs(self, folder, rungs):
        configs = [system(folder, f"runner_up_2021{name}") for name in LADDER]
        for cfg in configs:
            del cfg["model"]["stages"], cfg["title"], cfg["out_dir"]
        assert all(cfg == configs[0] for cfg in configs)


@BOTH_SIZES
@pytest.mark.parametrize(("name", "group_seconds"), [("ip_3s", 3.0), ("ip_video", None), ("ir_video", None)])
def test_recognizers_of_states_are_one_a_group(folder, name, group_seconds):
    stages = read(folder / "_base_" / "pcf_stages.py")["stages"][name]
    assert [stage["name"] for stage in stages] == [f"{name}_{group}" for group in GROUPS]
    assert [stage["train_options"] for stage in stages] == [dict(group=group) for group in GROUPS]
    [config] = {stage["config"] for stage in stages}
    assert read(Path(config))["seconds"] == group_seconds


@BOTH_SIZES
def test_prediction_by_frames_takes_one_clip_about_each(folder):
    """The stretch that is given to a frame is as long as the one clip that is drawn from it."""
    stages = read(folder / "_base_" / "pcf_stages.py")["stages"]
    for frame, segment in zip(stages["ip_frame"], stages["ip_3s"], strict=True):
        sampling = read(Path(frame["config"]))["test_pipeline"][0]
        assert frame["segments"]["frames"] == sampling["clip_len"] * sampling["frame_interval"]
        assert frame.pop("options") == {"test_pipeline.0.num_clips": 1} and frame.pop("segments")["step"] == 2
        assert frame == segment
