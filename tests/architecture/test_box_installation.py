import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT

_IMPORT_ALL = """
import importlib, pkgutil, edge
for module in pkgutil.walk_packages(edge.__path__, "edge."):
    importlib.import_module(module.name)
"""
_NOT_ON_A_BOX = ("fastapi", "sqlalchemy", "alembic", "jinja2", "influxdb_client", "playwright", "cloud.core.database")


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_box_imports_all_of_its_program_and_nothing_of_the_cloud(tmp_path: Path) -> None:
    venv.create(tmp_path / "box", with_pip=True)
    source = tmp_path / "source"  # built from a copy, since setuptools keeps deleted files in a tree's build folder
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source)
    python = tmp_path / "box/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wheel = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        source,
    ]
    subprocess.run(wheel, check=True)
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements/edge.txt"], check=True)
    subprocess.run([*pip, "--no-deps", *tmp_path.glob("gatehouse-*.whl")], check=True)
    subprocess.run([python, "-W", "error", "-c", _IMPORT_ALL], check=True, cwd=tmp_path)
    for name in _NOT_ON_A_BOX:
        there = subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False, cwd=tmp_path)
        assert there.returncode != 0, f"a box has {name}"
