"""Every number that is reported names a config that is there."""

import re
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config

from tpsparse.analysis.flops import network_complexity, official_sizes

ROOT = Path(__file__).parents[1]
METHODS = (
    *("action_recognition", "feature_fusion", "frame_features", "part_detection", "part_parsing", "person_detection"),
    *("pose_estimation", "state_recognition", "systems", "temporal_parsing"),
)


def metafiles():
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    return {file: yaml.safe_load((ROOT / file).read_text()) for file in index["Import"]}


def models():
    return [model for content in metafiles().values() for model in content["Models"]]


def runs():
    """Configs of networks and systems, full and quick: what is tested, not what joins tests to a table."""
    paths = [path for method in METHODS for path in (ROOT / "configs").rglob(f"{method}/*.py")]
    return {str(path.relative_to(ROOT)) for path in paths}


def test_every_method_has_a_metafile():
    assert set(metafiles()) == {f"configs/{method}/metafile.yml" for method in METHODS}


def test_every_config_is_in_one_metafile():
    named = [model["Config"] for model in models()]
    assert len(runs()) >= 14
    assert sorted(named) == sorted(runs())
    assert len({model["Name"] for model in models()}) == len(named)


def training_data(path):
    """What a config, or the networks of a system, learn from; the quick encoder's weights too are of synthetic data."""
    if "quick" in path.parts:
        return "synthetic"
    cfg = Config.fromfile(path, lazy_import=False)
    if "train_dataloader" not in cfg and path.parent.name != "systems":
        return "none"
    tapos = Config.fromfile(ROOT / "configs" / "_base_" / "tapos.py", lazy_import=False)
    return "TAPOS" if cfg.data_root == tapos.data_root else "Kinetics-TPS"


@pytest.mark.parametrize("model", models(), ids=lambda model: model["Name"])
def test_what_a_metafile_says_of_a_model(model):
    assert model["Metadata"]["Training Data"] == training_data(ROOT / model["Config"])
    for config in model["Metadata"].get("Networks", []):
        assert (ROOT / config).is_file(), config
    for result in model["Results"]:
        source = result["Source"]
        assert source == "paper" or (ROOT / source).is_file(), source
        assert result["Metrics"] and all(isinstance(value, (int, float)) for value in result["Metrics"].values())


def test_every_model_is_of_a_collection_whose_readme_has_its_row():
    for file, content in metafiles().items():
        pages = {each["Name"]: ROOT / each["README"] for each in content["Collections"]}
        assert {page.parent for page in pages.values()} == {(ROOT / file).parent}
        for model in content["Models"]:
            page = pages[model["In Collection"]]
            rows = [line for line in page.read_text().splitlines() if line.startswith("| [")]
            linked = {(page.parent / re.match(r"\| \[[^]]+\]\(([^)]+)\)", row)[1]).resolve() for row in rows}
            assert (ROOT / model["Config"]).resolve() in linked, model["Name"]
            assert len(rows) == len(content["Models"])


def rows(method):
    """Config of each row of a README's table, and its cells by their heads."""
    page = ROOT / "configs" / method / "README.md"
    table = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    links = [re.match(r"\[[^]]+\]\(([^)]+)\)", cells[0]) for cells in table[2:]]
    return {
        (page.parent / link[1]).resolve(): dict(zip(table[0], cells, strict=True))
        for link, cells in zip(links, table[2:], strict=True)
    }


ROWS = {path: row for method in METHODS if method != "systems" for path, row in rows(method).items()}
# MediaPipe's keypoints are of no network that could be counted.
NETWORKS = [path for path, row in ROWS.items() if row["Params (M)"] != "-"]
FULL = {ROOT / model["Config"]: model["Metadata"] for model in models() if "Pretrained" in model["Metadata"]}


@pytest.fixture
def unset_weights(monkeypatch):
    """Networks are counted and not run: drawing their weights is left out."""
    for name in [name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")]:
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *args, **kwargs: tensor)


def printed(number, like):
    """A number with as many digits behind the point as another one has."""
    return f"{number:.{len(like.partition('.')[2])}f}"


def test_all_networks_are_counted():
    assert [path.stem for path in ROWS if path not in NETWORKS] == ["keypoints_mediapipe"]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_sizes_are_those_that_are_counted(path, unset_weights):
    found = network_complexity(path, official_sizes(path))
    parameters, arithmetic = (ROWS[path][head] for head in ("Params (M)", "Multiply-adds (G)"))
    assert printed(found.parameters / 1e6, parameters) == parameters
    assert printed(found.multiply_adds / 1e9, arithmetic) == arithmetic
    if path in FULL:
        assert FULL[path]["Parameters (M)"] == float(parameters)
        assert FULL[path]["Multiply-adds (G)"] == float(arithmetic)


def test_every_full_size_network_says_how_it_is_trained():
    assert set(FULL) == {path for path in NETWORKS if "quick" not in path.parts} and len(FULL) == 68


def schedule(cfg, name):
    """Epochs and Batch Size of a training: none of what trains nothing, one pass of what learns without gradients."""
    if "train_dataloader" not in cfg:
        return None, None
    if cfg.train_cfg.get("type") == "FitLoop":
        return 1, None
    each = cfg.train_dataloader.batch_size
    named = re.search(r"_(\d+)xb(\d+)", name) or ("", 1, each)
    assert int(named[2]) == each
    size = int(named[1]) * each
    # Parsers are trained by one process, and have no learning rate to scale.
    assert size == (cfg.auto_scale_lr.base_batch_size if "auto_scale_lr" in cfg else each)
    return cfg.train_cfg.max_epochs, size


@pytest.mark.parametrize("path", FULL, ids=lambda path: path.stem)
def test_training_of_a_full_size_network(path):
    cfg, said = Config.fromfile(path, lazy_import=False), FULL[path]
    assert (said.get("Epochs"), said.get("Batch Size")) == schedule(cfg, path.stem)
    assert ROWS[path].get("Pretrained", "none") == said["Pretrained"]
    weights = str([cfg.model.to_dict(), cfg.get("load_from")])
    signs = {
        "COCO": "coco",
        "ImageNet": "resnet|vgg16|bn_inception_caffe",
        "ImageNet-21k": "vit_base_patch16_224",
        "ImageNet-22k": "22k",
        "IG-65M": "ig65m",
        "Kinetics-400": "kinetics_init",
        "Sports-1M": "sports1m",
    }
    named = [] if said["Pretrained"] == "none" else said["Pretrained"].removesuffix(" keypoints").split(" and ")
    assert all(re.search(signs[name], weights) for name in named)
    assert bool(named) == (".pth" in weights) and ("kinetics" in weights.lower()) == ("Kinetics-400" in named)
    # The challenge of Kinetics-TPS forbids such weights.
    assert "Kinetics-400" not in named or "kinetics_tps" not in cfg.data_root


@pytest.mark.parametrize("path", [path for path in ROWS if "quick" in path.parts], ids=lambda path: path.stem)
def test_quick_networks_start_at_random(path):
    cfg = Config.fromfile(path, lazy_import=False)
    weights = str([cfg.model.to_dict(), cfg.get("load_from")])
    assert ROWS[path].get("Pretrained", "none") == "none" and "http" not in weights and "torchvision:" not in weights


@pytest.mark.parametrize("method", METHODS)
def test_links_and_commands_of_a_readme_lead_somewhere(method):
    page = ROOT / "configs" / method / "README.md"
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(links) >= 6
    assert not [link for link in links if not (page.parent / link).is_file()]
    files = re.findall(r"\b((?:tools|configs)/[\w./-]+\.(?:py|sh))\b", text)
    assert files and not [file for file in files if not (ROOT / file).is_file()]


def test_no_blank_is_left_in_the_documents():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert len(pages) >= 3
    for page in pages:
        assert not re.search(r"@[A-Z]+@", page.read_text()), page


def test_pictures_in_the_documents_are_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / picture).is_file(), (page, picture)
