"""requirements.txt, which says why each package is there, and pyproject.toml, which pip install reads, say the same."""

import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def required(file: str) -> set[str]:
    """The pinned packages of a requirements file, e.g. {"pytest==9.1.1"}; what it includes is left out."""
    lines = [line.partition("#")[0].strip() for line in (REPOSITORY / file).read_text().splitlines()]
    return {line for line in lines if line and not line.startswith("-r")}


def test_the_package_needs_what_requirements_txt_pins():
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    extras = [
        package for packages in document["project"]["optional-dependencies"].values() for package in packages
    ]
    packages = [*document["project"]["dependencies"], *extras]
    assert sorted(packages) == sorted(required("requirements.txt"))


def test_the_group_dev_has_what_requirements_dev_txt_pins():
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert set(document["dependency-groups"]["dev"]) == required("requirements-dev.txt")
