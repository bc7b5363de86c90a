# SPDX-License-Identifier: Apache-2.0
"""The package in another project: `pip install ./pytests`, and `lab` is there without a word more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from book import Book
from test_plugin import STAND_IN

PYTESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as pip puts it there. From a copy: pip leaves things beside what it builds."""
    folder = tmp_path_factory.mktemp("elsewhere")
    source = folder / "pytests"
    shutil.copytree(PYTESTS / "mixlab", source / "mixlab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PYTESTS / "pyproject.toml", source)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--target", folder / "packages", source], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "packages"


def test_the_installed_package_is_whole(installed: Path) -> None:
    shipped = {path.relative_to(PYTESTS) for path in (PYTESTS / "mixlab").glob("*.py")}
    assert {path for path in shipped if not (installed / path).exists()} == set()
    assert (installed / "mixlab" / "py.typed").exists()


def test_a_project_of_its_own_has_the_plugin(installed: Path, tmp_path: Path, book: Book) -> None:
    book.honest().close().close()
    book.path.rename(tmp_path / "recording.sqlite")
    program = tmp_path / "mixlab"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    (tmp_path / "mine.toml").write_text('[scenario]\nname = "mine"\n')
    (tmp_path / "test_mine.py").write_text(
        "import mixlab\n\n"
        "def test_mine(lab):\n"
        f"    assert mixlab.__file__.startswith({str(installed)!r})\n"
        '    lab.run("mine.toml").assert_layer_order()\n'
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--mixlab-bin={program}", "test_mine.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
