"""What systemd itself says of the units that are shipped."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.agent.daemon import DRAIN_S
from tests.peers import peer

SYSTEMD = Path(__file__).parents[2] / "systemd"
INSTALLED = "/opt/ringback/bin/ringback"


@pytest.fixture(params=["plain", "with CAP_NET_RAW"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit as shipped, with a program in ExecStart that this host has."""
    text = (SYSTEMD / "ringback.service").read_text()
    assert text.count(INSTALLED) == 1
    unit = tmp_path / "ringback.service"
    unit.write_text(text.replace(INSTALLED, sys.executable))
    if request.param != "plain":
        shutil.copytree(SYSTEMD / "ringback.service.d", tmp_path / "ringback.service.d")
    return unit


def analyze(*words: str) -> str:
    """The output of systemd-analyze, of which a warning is a failure, too."""
    argv = [peer("systemd-analyze"), "--no-pager", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_systemd_finds_nothing_to_complain_about(unit: Path) -> None:
    assert analyze("verify", str(unit)) == ""


def test_the_unit_is_exposed_by_no_more_than_one_and_a_half(unit: Path) -> None:
    told = analyze("security", "--offline=true", str(unit))
    score = re.search(r"Overall exposure level for ringback.service: (\d+\.\d)", told)
    assert score is not None, told
    assert float(score[1]) <= 1.5


def test_only_the_drop_in_gives_a_capability(unit: Path) -> None:
    told = analyze("security", "--offline=true", str(unit))
    raw = [line for line in told.splitlines() if "CAP_NET_(BIND_SERVICE|BROADCAST|RAW)" in line]
    assert raw[0].startswith("✗") is (unit.parent / "ringback.service.d").exists()


def test_the_unit_waits_longer_than_the_agent_drains() -> None:
    text = (SYSTEMD / "ringback.service").read_text()
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert stop is not None
    assert int(stop[1]) > DRAIN_S


def test_the_kernel_takes_the_range_of_groups() -> None:
    text = (SYSTEMD / "sysctl.d" / "50-ringback.conf").read_text()
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    key, _, value = line.partition(" = ")
    low, high = map(int, value.split())
    assert Path("/proc/sys", key.replace(".", "/")).exists()
    assert 0 <= low <= high < 2**31


def test_sysusers_makes_the_user_that_the_unit_runs_as(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    argv = [peer("systemd-sysusers"), f"--root={tmp_path}", str(SYSTEMD / "sysusers.d" / "ringback.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unit = (SYSTEMD / "ringback.service").read_text()
    for file, key in (("passwd", "User"), ("group", "Group")):
        names = {line.split(":")[0] for line in (tmp_path / "etc" / file).read_text().splitlines()}
        assert re.search(rf"^{key}=(.*)$", unit, re.MULTILINE)[1] in names  # type: ignore[index]
