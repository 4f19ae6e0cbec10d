"""What Binder would do with this repository, as repo2docker writes it down without Docker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def steps() -> str:
    """The Dockerfile that repo2docker generates."""
    pytest.importorskip("repo2docker")
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_binder_takes_the_oldest_python_that_the_book_supports(steps) -> None:
    assert "Building conda environment for python=3.11" in steps
    assert (ROOT / "runtime.txt").read_text().strip() == "python-3.11"


def test_binder_reads_the_files_of_the_root(steps) -> None:
    assert not (ROOT / "binder").exists()
    assert not (ROOT / ".binder").exists()
    assert not (ROOT / "environment.yml").exists()


def test_requirements_are_installed_where_the_files_they_name_lie(steps) -> None:
    """``-c constraints.txt`` and ``-e .`` need the whole repository, not the one file alone."""
    copied = steps.index("COPY --chown=0:0 src/ ${REPO_DIR}/")
    installed = steps.index('pip install --no-cache-dir -r "requirements.txt"')
    # The root is a package, so gmmlib is then installed once more, as a copy.
    packed = steps.index("pip install --no-cache-dir .\n")
    finished = steps.index("RUN ./postBuild")
    assert copied < installed < packed < finished


def post_build(folder: Path, environment: dict[str, str]) -> Path:
    """Run postBuild as Binder does, on a copy of what it and the chapters read."""
    folder.mkdir()
    shutil.copy2(ROOT / "postBuild", folder)
    shutil.copytree(ROOT / "chapters", folder / "chapters")
    # Neither a reader's answers nor an instructor's: the copy is as fresh as a clone.
    unwanted = shutil.ignore_patterns("notebooks", "private", "__pycache__")
    shutil.copytree(ROOT / "exercises", folder / "exercises", ignore=unwanted)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**environment, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [folder / "postBuild"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_post_build_sets_up_a_home(tmp_path: Path) -> None:
    """Run as Binder does: chapters open as notebooks, problem sets lie ready."""
    assert os.access(ROOT / "postBuild", os.X_OK)
    text = (ROOT / "postBuild").read_text()
    assert text.startswith("#!/bin/sh\n")
    assert re.search(r"^set -eu$", text, flags=re.M)
    config = tmp_path / "config"
    folder = post_build(tmp_path / "repository", {**os.environ, "JUPYTER_CONFIG_DIR": str(config)})
    settings = (config / "labconfig" / "default_setting_overrides.json").read_text()
    assert '"markdown": "Jupytext Notebook"' in settings
    masters = {path.stem for path in (ROOT / "exercises").glob("ps*.md")}
    assert masters
    assert {path.stem for path in (folder / "exercises" / "notebooks").iterdir()} == masters
