"""The ways in: the wheel, the Makefile, the CI script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import monitor
from tests.peers import peer

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files that belong to the repository."""
    directory = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(argv, cwd=REPOSITORY, check=True, capture_output=True)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would put into site-packages, far away from the repository."""
    directory = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    return directory


def ringback(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "monitor", *words]
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        argv, cwd=installed, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_wheel_carries_what_operators_copy(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("config", "systemd"):
        for file in (REPOSITORY / folder).rglob("*"):
            if file.is_file():
                assert f"monitor/{folder}_samples/{file.relative_to(REPOSITORY / folder)}" in names


def test_the_wheel_carries_the_program_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"monitor", "probes", f"ringback-{monitor.__version__}.dist-info"}
    assert {"monitor/py.typed", "probes/py.typed"} <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    place = f"ringback-{monitor.__version__}.dist-info"
    metadata = message_from_bytes(archive.read(f"{place}/METADATA"))
    assert (metadata["Name"], metadata["Version"]) == ("ringback", monitor.__version__)
    assert metadata["License-Expression"] == "MIT"
    assert "ringback = monitor.cli:main" in archive.read(f"{place}/entry_points.txt").decode()


def test_what_was_installed_writes_samples_that_it_takes(installed: Path, tmp_path: Path) -> None:
    written = ringback(installed, "config", "init", str(tmp_path / "etc"))
    assert written.returncode == 0, written.stderr
    checked = ringback(installed, "--config", str(tmp_path / "etc" / "ringback.yml"), "config", "check")
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A place, with a blank in its name, for the Makefile and what it looks at."""
    place = tmp_path / "a clone"
    place.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, place)
    return place


def make(clone: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    for inherited in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "ARGS"):
        environment.pop(inherited, None)
    argv = [peer("make"), "--no-print-directory", *words]
    return subprocess.run(argv, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def set_up(clone: Path) -> None:
    (clone / ".venv").mkdir()
    for stamp in ("installed", "installed-dev"):
        (clone / ".venv" / stamp).touch()


def test_make_alone_says_what_there_is(clone: Path) -> None:
    told = make(clone).stdout
    for target in ("run", "test", "lint", "bench", "clean"):
        assert f"make {target}" in told


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench"])
def test_everything_sets_itself_up_first_and_only_once(clone: Path, target: str) -> None:
    assert "pip install" in make(clone, "--dry-run", target).stdout
    set_up(clone)
    assert "pip install" not in make(clone, "--dry-run", target).stdout


def test_a_change_of_the_dependencies_is_installed(clone: Path) -> None:
    set_up(clone)
    later = (clone / ".venv" / "installed").stat().st_mtime + 10
    os.utime(clone / "pyproject.toml", (later, later))
    assert "pip install" in make(clone, "--dry-run", "test").stdout


def test_the_demo_is_run_without_what_only_tests_need(clone: Path) -> None:
    assert "--group dev" not in make(clone, "--dry-run", "run").stdout
    assert "--group dev" in make(clone, "--dry-run", "test").stdout


def test_without_a_python_that_is_new_enough_it_says_so(clone: Path) -> None:
    tools = clone / "tools"
    tools.mkdir()
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")  # as one that is too old answers
    (tools / "python3").chmod(0o755)
    (tools / "sh").symlink_to("/bin/sh")
    done = make(clone, "run", path=str(tools))
    assert done.returncode != 0
    assert "Ringback needs Python 3.11 or newer" in done.stderr
    assert not (clone / ".venv").exists()


def test_clean_leaves_nothing_that_was_made(clone: Path) -> None:
    set_up(clone)
    (clone / "monitor" / "__pycache__").mkdir(parents=True)
    assert make(clone, "clean").returncode == 0
    assert sorted(path.name for path in clone.iterdir()) == ["Makefile", "monitor", "pyproject.toml"]
    assert not list((clone / "monitor").iterdir())


def test_the_ci_script_is_sound_and_may_be_run() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
