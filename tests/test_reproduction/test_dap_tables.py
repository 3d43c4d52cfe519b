"""Rows of DAP's tables 3 to 6: their configs are what the rows say, and the report's numbers are everywhere the same.

The numbers below are copied from the report by hand: https://arxiv.org/abs/2111.03225, section 3.2.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
OTHERS = ("pcf", "runner_up_", "tapos_")
"""How the names of networks begin that are not DAP's."""
BOTH_SIZES = pytest.mark.parametrize("folder", [CONFIGS, CONFIGS / "quick"], ids=["full", "quick"])

TABLE_3 = {"plain": 76.6, "gcp": 77.0, "both": 76.0}
TABLE_4 = {"shared": 50.9, "maps": 51.3, "vectors": 51.7, "focal": 53.2}
# Accuracy and score.
TABLE_5 = {
    "frame": (73.0, 46.1),
    "instance": (74.2, 46.4),
    "timesformer": (85.6, 53.2),
    "swin": (87.0, 53.6),
    "frame_instance": (79.3, 49.7),
    "everything": (93.2, 57.5),
}
TABLE_6 = {
    "frame": 73.8,
    "instance": 79.0,
    "timesformer": 85.0,
    "swin": 87.5,
    "frame_instance": 82.4,
    "everything": 94.1,
}
TEST_SCORE = 60.5  # table 7, of everything
TABLE_4_ACTIONS = 85.6  # the same throughout table 4, by the text

DETECTORS = {"plain": "cascade-rcnn", "gcp": "cascade-rcnn-gcp", "both": "dap_cascade-rcnn"}
PARTS = {"shared": "shared-heatmaps", "maps": "state-heatmaps", "vectors": "cross-entropy", "focal": "focal"}
SOURCES = {
    "frame": {"mlp_frame"},
    "instance": {"mlp_instance"},
    "timesformer": {"timesformer"},
    "swin": {"swin"},
    "frame_instance": {"mlp_frame", "mlp_instance"},
}
SYSTEMS = {row: f"dap_{row.replace('_', '-')}" for row in SOURCES} | {"everything": "dap"}


def read(path: Path) -> dict:
    return Config.fromfile(path, lazy_import=False).to_dict()


def system(folder: Path, name: str) -> dict:
    return read(folder / "systems" / f"{name}.py")


def detector(folder: Path, start: str) -> dict:
    """The detector's config whose name starts so; children for the test have longer names."""
    found = (folder / "person_detection").glob(f"{start}_r*.py")
    return read(min(found, key=lambda path: len(path.name)))


@BOTH_SIZES
def test_detectors_of_table_3_lack_the_named_branches_alone(folder):
    both = detector(folder, DETECTORS["both"])
    assert both["model"]["instance_action"] and both["model"]["context_action"]
    for row, lacking in (("plain", ("context_action", "instance_action")), ("gcp", ("instance_action",))):
        model = {**both["model"], **dict.fromkeys(lacking)}
        assert detector(folder, DETECTORS[row]) == {**both, "model": model}


@BOTH_SIZES
def test_systems_of_table_4_differ_in_part_parsing_alone(folder):
    systems = {row: system(folder, f"dap_{name}") for row, name in PARTS.items()}
    assert len({cfg.pop("out_dir") for cfg in systems.values()}) == len(PARTS)
    named = {}
    for row, cfg in systems.items():
        [stage] = [stage for stage in cfg["model"]["stages"] if stage["type"] == "ParseParts"]
        named[row] = Path(stage.pop("config"))
    assert all(cfg == systems["focal"] for cfg in systems.values())
    assert len(set(named.values())) == len(PARTS)
    for row, path in named.items():
        assert path.is_file() and (PARTS[row] in path.name or row == "focal")
    # At quick size the detector's own branch is the one source that every row has anyway.
    source = "timesformer" if folder == CONFIGS else "instance"
    assert systems["focal"]["model"]["stages"][-1] == dict(type="EnsembleActions", weights={source: 1})


@BOTH_SIZES
def test_part_networks_of_table_4_are_what_the_rows_check(folder):
    heads = {}
    for row, name in PARTS.items():
        stages = system(folder, f"dap_{name}")["model"]["stages"]
        [path] = [stage["config"] for stage in stages if stage["type"] == "ParseParts"]
        model = read(Path(path))["model"]
        heads[row] = (model["part_head"] is not None, model["state_head"]["type"], model["state_head"].get("gamma"))
    assert heads == {
        "shared": (False, "SharedHeatmapModule", None),
        "maps": (True, "StateHeatmapModule", None),
        "vectors": (True, "StateParsingModule", 0.0),
        "focal": (True, "StateParsingModule", 2.0),
    }


@BOTH_SIZES
@pytest.mark.parametrize("row", SOURCES)
def test_sources_of_the_actions_of_table_5(folder, row):
    cfg, whole = system(folder, SYSTEMS[row]), system(folder, "dap")
    *stages, ensemble = cfg["model"]["stages"]
    assert ensemble == dict(type="EnsembleActions", weights=dict.fromkeys(SOURCES[row], 1))
    assert {stage["type"] for stage in stages[:2]} == {"DetectPersons", "ParseParts"}
    assert stages[:2] == whole["model"]["stages"][:2]
    assert {stage["name"] for stage in stages[2:]} == SOURCES[row]
    assert stages[2:] == [whole["stages"][stage["name"]] for stage in stages[2:]]
    same = {key for key in whole if key not in ("model", "out_dir")}
    assert {key: cfg[key] for key in same} == {key: whole[key] for key in same}


@BOTH_SIZES
@pytest.mark.parametrize(
    ("row", "used"), [("frame", {"frame_features"}), ("instance", {"person_features"})], ids=["frame", "instance"]
)
def test_networks_of_one_level_use_its_features_alone(folder, row, used):
    stages = system(folder, SYSTEMS[row])["model"]["stages"]
    [path] = [stage["config"] for stage in stages if stage["type"] == "FuseFeatures"]
    model = read(Path(path))["model"]
    assert {key for key in model if key.endswith("_features") and model[key]} == used


def rows_of(table: str) -> dict:
    return read(CONFIGS / "_base_" / "studies" / f"dap_table{table}.py")["rows"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("3", {row: {"person/AP": number} for row, number in TABLE_3.items()}),
        ("4", {row: {"tps/score": number} for row, number in TABLE_4.items()}),
        ("5", {row: {"tps/action_top1": top1, "tps/score": score} for row, (top1, score) in TABLE_5.items()}),
        ("6", {row: {"tps/action_top1": number} for row, number in TABLE_6.items()}),
    ],
)
def test_studies_have_the_reports_numbers(table, expected):
    """Rows that the report lacks have no numbers of it."""
    found = {name: row["paper"] for name, row in rows_of(table).items() if row.get("paper")}
    assert found == expected


@pytest.mark.parametrize(("table", "names"), [("4", PARTS), ("5", SYSTEMS), ("6", SYSTEMS)])
def test_studies_name_the_systems_of_their_rows(table, names):
    rows = rows_of(table)
    for row in TABLE_4 if table == "4" else TABLE_5:
        name = f"dap_{names[row]}" if table == "4" else names[row]
        assert rows[row]["config"] == f"systems/{name}.py"


def test_study_of_table_3_names_the_detectors_of_its_rows():
    for row, start in DETECTORS.items():
        assert Path(rows_of("3")[row]["config"]).name.startswith(f"{start}_r101")


def in_metafile(method: str) -> dict[str, list[tuple[str, dict]]]:
    """(data set, metrics) of the paper's results of each full-size config."""
    content = yaml.safe_load((CONFIGS / method / "metafile.yml").read_text())
    return {
        Path(model["Config"]).stem: [
            (result["Dataset"], result["Metrics"]) for result in model["Results"] if result["Source"] == "paper"
        ]
        for model in content["Models"]
        if "/quick/" not in model["Config"] and not Path(model["Config"]).stem.startswith(OTHERS)
    }


VAL, TEST = "a random 30 % of Kinetics-TPS train", "Kinetics-TPS test"


def test_metafile_of_the_systems():
    expected = {
        f"dap_{name}": [(VAL, {"Score": TABLE_4[row], "Action top-1": TABLE_4_ACTIONS})] for row, name in PARTS.items()
    }
    for row, name in SYSTEMS.items():
        top1, score = TABLE_5[row]
        test = {"Action top-1": TABLE_6[row]}
        if row == "everything":
            test["Score"] = TEST_SCORE
        expected[name] = [(VAL, {"Score": score, "Action top-1": top1}), (TEST, test)]
    found = {name: results for name, results in in_metafile("systems").items() if results and name.startswith("dap")}
    assert found == expected


def networks() -> dict[str, dict[str, float]]:
    """Per folder and config the number that the report has of the network: table 3, 4 or 5."""
    part_names = {row: "" if row == "focal" else f"-{name}" for row, name in PARTS.items()}
    return {
        "person_detection": {f"{DETECTORS[row]}_r101_fpn_8xb2-12e_kinetics-tps": n for row, n in TABLE_3.items()},
        "part_parsing": {
            f"dap_parsing-hrnet-w48{part_names[row]}_8xb32-40e_kinetics-tps-256x192": n for row, n in TABLE_4.items()
        },
        "action_recognition": {
            "dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb": TABLE_5["timesformer"][0],
            "dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb": TABLE_5["swin"][0],
        },
        "feature_fusion": {f"dap_mlp-{row}_8xb32-30e_kinetics-tps": TABLE_5[row][0] for row in ("frame", "instance")},
    }


@pytest.mark.parametrize("method", networks())
def test_metafiles_of_the_networks(method):
    metric = {"person_detection": "mAP", "part_parsing": "Score"}.get(method, "Top-1")
    found = {name: results for name, results in in_metafile(method).items() if results}
    assert found == {name: [(VAL, {metric: number})] for name, number in networks()[method].items()}


def in_readme(method: str, head: str) -> dict[str, str]:
    """A column of the README's table by the config of the full-size row, ``-`` left out."""
    lines = (CONFIGS / method / "README.md").read_text().splitlines()
    heads, _, *rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    links = [re.match(r"\[[^]]+\]\(([^)]+)\.py\)", row[0])[1] for row in rows]
    cells = {link: row[heads.index(head)] for link, row in zip(links, rows, strict=True)}
    own = {link: cell for link, cell in cells.items() if not link.startswith(OTHERS)}
    return {link: cell for link, cell in own.items() if "quick" not in link and cell != "-"}


@pytest.mark.parametrize("method", networks())
def test_readmes_of_the_networks(method):
    head = {"person_detection": "mAP, paper", "part_parsing": "Acc^p, paper"}.get(method, "top-1, paper")
    assert in_readme(method, head) == {name: str(number) for name, number in networks()[method].items()}


def test_readme_of_the_systems():
    scores = {f"dap_{PARTS[row]}": f"{number} / -" for row, number in TABLE_4.items()}
    scores |= {
        SYSTEMS[row]: f"{score} / {TEST_SCORE if row == 'everything' else '-'}" for row, (_, score) in TABLE_5.items()
    }
    found = in_readme("systems", "Acc^p, paper")
    del found["most_frequent"]  # another report's
    assert found.pop("scu") == "- / 25.19"  # its report's abstract
    assert found == scores
    actions = {f"dap_{PARTS[row]}": f"{TABLE_4_ACTIONS} / -" for row in TABLE_4}
    actions |= {SYSTEMS[row]: f"{top1} / {TABLE_6[row]}" for row, (top1, _) in TABLE_5.items()}
    assert in_readme("systems", "top-1, paper") == actions


@pytest.mark.parametrize(
    ("config", "number"),
    [(f"systems/{SYSTEMS[row]}", "top-1 {}, score {}".format(*TABLE_5[row])) for row in SOURCES]
    + [(f"systems/dap_{PARTS[row]}", f"score {number}") for row, number in TABLE_4.items()]
    + [("action_recognition/dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb", "top-1 85.6 %")]
    + [("action_recognition/dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb", "top-1 87.0 %")],
)
def test_docstrings_have_the_reports_numbers(config, number):
    text = (CONFIGS / f"{config}.py").read_text().split('"""')[1]
    assert number in " ".join(text.split())
