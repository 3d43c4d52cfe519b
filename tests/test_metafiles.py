"""Every number that is reported names a config that is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
METHODS = ("action_recognition", "feature_fusion", "part_parsing", "person_detection", "systems")


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


@pytest.mark.parametrize("model", models(), ids=lambda model: model["Name"])
def test_what_a_metafile_says_of_a_model(model):
    assert model["Metadata"]["Training Data"] == ("synthetic" if "/quick/" in model["Config"] else "Kinetics-TPS")
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
