"""Every number that is reported names a config that is there."""

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
