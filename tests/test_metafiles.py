"""Every number that is reported names a config that is there."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_every_metafile_names_files_that_exist():
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    models = [model for file in index["Import"] for model in yaml.safe_load((ROOT / file).read_text())["Models"]]
    assert len(models) == 4
    for model in models:
        for config in [model["Config"], *model["Metadata"].get("Networks", [])]:
            assert (ROOT / config).is_file(), config


def test_every_system_is_in_a_metafile():
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    named = {m["Config"] for file in index["Import"] for m in yaml.safe_load((ROOT / file).read_text())["Models"]}
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("systems/*.py")}
    assert found == named


def test_no_blank_is_left_in_the_documents():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert len(pages) >= 3
    for page in pages:
        assert not re.search(r"@[A-Z]+@", page.read_text()), page


def test_pictures_in_the_documents_are_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / picture).is_file(), (page, picture)
