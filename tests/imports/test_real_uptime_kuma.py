"""``ringback import uptime-kuma`` against a real Uptime Kuma: one that watches, and a month in its database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest

from tests.agent.real import eventually, free_port, nginx, now_ms, running
from tests.cli.sites import Site
from tests.imports.kuma import DOWN, MAINTENANCE, PENDING, UP, Kuma, monitor

FROM = datetime(2026, 9, 30, 22, tzinfo=UTC)  # the first of October in Luxembourg
MINUTES = 745 * 60
BAD = (range(6300, 6420), range(35_000, 35_060), range(44_600, 44_601))
"""Minutes of October that were down."""

Beats = Sequence[tuple[float, int]]
"""Minutes after FROM, and the status."""


@dataclass(frozen=True)
class Case:
    """An hour, and of how many seconds of it Ringback and Uptime Kuma say what."""

    name: str
    beats: Beats
    down_s: int
    unknown_s: int
    their_down_s: int
    interval_s: int = 60


def hour(*changed: tuple[float, int], without: range = range(0)) -> Beats:
    """One heartbeat a minute that is up, but for these."""
    other = {minute: UP for minute in range(61) if minute not in without}
    return sorted((other | dict(changed)).items())


CASES = [
    Case("regular", hour((20, DOWN), (21, DOWN)), 120, 0, 120),
    Case("pending, not confirmed", hour((20, PENDING), (21, PENDING)), 0, 120, 120),
    Case(
        "faster retries",
        hour((20, PENDING), (20 + 1 / 3, PENDING), (20 + 2 / 3, PENDING), (21, DOWN), (22, DOWN)),
        180, 0, 180,
    ),
    Case("maintenance", hour(*((minute, MAINTENANCE) for minute in range(20, 30))), 0, 600, 0),
    Case("stopped, then up", hour(without=range(21, 50)), 0, 28 * 60, 0),
    Case("stopped, then down", hour((50, DOWN), without=range(21, 50)), 60, 28 * 60, 30 * 60),
    Case("a check that timed out", hour((20, DOWN), (21.75, UP), without=range(21, 22)), 105, 0, 60),
    Case(
        "checks that timed out after long intervals",
        [(0, UP), (10, DOWN), (28, DOWN), (46, UP), (56, UP), (60, UP)],
        36 * 60, 0, 28 * 60, interval_s=600,
    ),
]  # fmt: skip


def recorded(db: sqlite3.Connection, name: str, beats: Beats) -> None:
    """Heartbeats as Uptime Kuma writes them: each with the whole seconds since the one before."""
    (key,) = db.execute("SELECT id FROM monitor WHERE name = ?", (name,)).fetchone()
    instants = [FROM + timedelta(minutes=minute) for minute, _ in beats]
    since = [0, *(int((later - sooner).total_seconds()) for sooner, later in pairwise(instants))]
    db.executemany(
        "INSERT INTO heartbeat (monitor_id, status, time, duration) VALUES (?, ?, ?, ?)",
        [
            (key, status, f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}", duration)
            for at, (_, status), duration in zip(instants, beats, since, strict=True)
        ],
    )


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Kuma:
    """Its own database, filled in while it does not run."""
    kuma = Kuma(tmp_path_factory.mktemp("october"))
    with kuma.running():
        kuma.set_up([monitor("SBC"), *(monitor(case.name, interval=case.interval_s) for case in CASES)])
    month = [(minute, DOWN if any(minute in bad for bad in BAD) else UP) for minute in range(MINUTES + 1)]
    with closing(sqlite3.connect(kuma.file)) as db, db:
        recorded(db, "SBC", month)
        for case in CASES:
            recorded(db, case.name, case.beats)
    return kuma


@pytest.fixture(scope="module")
def theirs(october: Kuma) -> dict[str, float]:
    """The uptime that Uptime Kuma computes itself, by monitor."""
    names = ["SBC", *(case.name for case in CASES)]
    return dict(zip(names, october.uptime(*range(1, len(names) + 1)), strict=True))


def bring_in(site: Site, kuma: Kuma, name: str, *more: str, service: str = "acme-trunk") -> Any:
    return site.json("import", "uptime-kuma", kuma.file, "--service", service, "--monitor", name, *more)


def test_a_month_has_the_availability_that_uptime_kuma_says(
    site: Site, october: Kuma, theirs: dict[str, float]
) -> None:
    bring_in(site, october, "SBC")
    (month,) = site.json("report", "2026-10")["services"]
    total_ms, down_ms = month["total_ms"], month["down_ms"]
    assert (total_ms, down_ms) == (MINUTES * 60_000, sum(map(len, BAD)) * 60_000)
    assert (month["unknown_ms"], month["outages"]) == (0, len(BAD))
    assert (total_ms - down_ms) / total_ms == theirs["SBC"] < 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_where_the_rules_differ_the_numbers_differ_as_the_documentation_says(
    site: Site, october: Kuma, theirs: dict[str, float], case: Case
) -> None:
    bring_in(site, october, case.name)
    found = site.json(
        "availability", "--service", "acme-trunk", "--from", "2026-10-01", "--to", "2026-10-01T01:00"
    )
    assert (found["down_ms"], found["unknown_ms"]) == (case.down_s * 1000, case.unknown_s * 1000)
    assert theirs[case.name] == (3600 - case.their_down_s) / 3600


def test_nothing_is_left_beside_the_database(site: Site, october: Kuma) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in october.data.iterdir()}
    assert "kuma.db-wal" not in before
    bring_in(site, october, "SBC")
    assert {file.name: file.stat().st_mtime_ns for file in october.data.iterdir()} == before


WATCHED = ("plain", "retried", "inverted")


MANUAL = {
    "title": "works", "description": "", "strategy": "manual", "active": True, "intervalDay": 1,
    "timezoneOption": "UTC", "dateRange": [None], "timeRange": [], "weekdays": [], "daysOfMonth": [],
}  # fmt: skip
"""A maintenance that is on until it is ended."""


def trunks() -> str:
    """A service for each monitor."""
    lines = [
        f"  - {{id: {name}, plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, contract_from: 2026-01-01}}"
        for name in WATCHED
    ]
    return "\n".join(["services:", *lines, ""])


def instant_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def lasting(beats: Sequence[tuple[str, int]]) -> list[tuple[int, int, int]]:
    """Each heartbeat's status, instant and the instant of the next (ms); the last one has none."""
    return [(status, instant_ms(time), instant_ms(after)) for (time, status), (after, _) in pairwise(beats)]


def failures(beats: Sequence[tuple[str, int]], confirmed: bool) -> list[tuple[int, int]]:
    """From the first bad heartbeat to the next that was not, where one of them was down, or where none was."""
    runs = [(bad, list(run)) for bad, run in groupby(lasting(beats), lambda one: one[0] in (DOWN, PENDING))]
    return [
        (run[0][1], run[-1][2])
        for bad, run in runs
        if bad and confirmed == any(status == DOWN for status, *_ in run)
    ]


def length_ms(stretches: Iterable[Sequence[int]]) -> int:
    return sum(end - begin for begin, end in stretches)


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kuma, Site]:
    """It saw an outage, which was imported while it ran, and then a failure that was not confirmed, and
    maintenance, which were imported when it had ended."""
    folder = tmp_path_factory.mktemp("watching")
    site, kuma, port = Site(folder), Kuma(folder), free_port()
    site.configure(trunks())
    web = nginx(folder, port)
    often: dict[str, Any] = {
        "active": 1,
        "interval": 1,
        "retryInterval": 1,
        "url": f"http://127.0.0.1:{port}/",
    }
    special: dict[str, dict[str, Any]] = {"retried": {"maxretries": 3}, "inverted": {"upsideDown": True}}

    def until(name: str, *statuses: int) -> None:
        last = slice(-len(statuses), None)
        eventually(lambda: [status for _, status in kuma.beats(name)][last] == list(statuses))

    with running(web), kuma.running():
        kuma.set_up([monitor(name, **often | special.get(name, {})) for name in WATCHED])
        until("retried", UP, UP)
        web.kill()
        until("retried", DOWN, DOWN)
        web.start()
        until("retried", UP, UP)
        middle = iso(now_ms())
        for name in WATCHED:
            bring_in(site, kuma, name, "--to", middle, service=name)
        web.kill()
        until("retried", PENDING)
        web.start()
        until("retried", UP)
        (maintenance,) = kuma.call(["addMaintenance", MANUAL])
        kuma.call(["addMonitorMaintenance", maintenance["maintenanceID"], [{"id": 1}]])
        until("plain", MAINTENANCE, MAINTENANCE)
        kuma.stop()
    for name in WATCHED:
        bring_in(site, kuma, name, "--from", middle, service=name)
    return kuma, site


@pytest.mark.parametrize("name", WATCHED)
def test_outages_that_it_saw_are_those_of_its_heartbeats(watching: tuple[Kuma, Site], name: str) -> None:
    kuma, site = watching
    beats = kuma.beats(name)
    window = ("--from", iso(instant_ms(beats[0][0])), "--to", iso(instant_ms(beats[-1][0])))
    found = site.json("availability", "--service", name, *window)
    outages, blips = failures(beats, True), failures(beats, False)
    assert found["down_ms"] == length_ms(outages) > 0
    assert found["outages"] == len(outages)
    maintained = length_ms([stretch for status, *stretch in lasting(beats) if status == MAINTENANCE])
    assert found["unknown_ms"] == length_ms(blips) + maintained
    assert (bool(blips), bool(maintained)) == (name == "retried", name == "plain")


def test_uptime_kuma_says_of_what_it_saw_the_same_within_a_second_a_heartbeat(
    watching: tuple[Kuma, Site],
) -> None:
    kuma, _ = watching
    uptimes = kuma.uptime(*range(1, len(WATCHED) + 1))
    for name, uptime in zip(WATCHED, uptimes, strict=True):
        beats = kuma.beats(name)
        bad = sum(status in (DOWN, PENDING) for _, status in beats)
        failed_s = length_ms(failures(beats, True) + failures(beats, False)) / 1000
        total_s = (instant_ms(beats[-1][0]) - instant_ms(beats[0][0])) / 1000
        assert abs((1 - uptime) * total_s - failed_s) < bad + 1, name
