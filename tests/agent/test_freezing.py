"""Months that ended while no agent ran, and agents that are killed while they freeze."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config.loading import load
from monitor.ledger.freezing import freeze
from monitor.sla.months import bounds, local_iso, month_of, to_ms
from monitor.store.database import open_for_writing
from tests.agent.real import Ringback, eventually, now_ms, running
from tests.store.recorded import changed, run

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
DAY_MS = 24 * 3_600_000
HOUR_MS = 3_600_000
LAST = month_of(to_ms(datetime.now(UTC)), LUXEMBOURG).previous
BEFORE = LAST.previous


def services(count: int) -> str:
    terms = "plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, overrides: {claim_within: 1d}"
    return "".join(f"  - {{id: trunk-{number:03}, {terms}}}\n" for number in range(count))


def lives_that_ended(database: Path, count: int) -> None:
    """One agent died on the 20th of the month before last; the next one ran from the 5th to the 12th of the last.

    Each saw two to four hours of downtime of each service.
    """
    database.parent.mkdir()
    with closing(open_for_writing(database)) as db:
        db.execute("BEGIN")
        for month, first, days in ((BEFORE, 0, 20), (LAST, 5, 12)):
            start_ms = bounds(month, LUXEMBOURG)[0] + first * DAY_MS
            down_ms = start_ms + DAY_MS
            statements = [
                changed(
                    f"trunk-{number:03}",
                    (start_ms, "up"),
                    (down_ms, "down"),
                    (down_ms + (2 + number % 3) * HOUR_MS, "up"),
                )
                for number in range(count)
            ]
            run(db, statements, start_ms, bounds(month, LUXEMBOURG)[0] + days * DAY_MS)
        db.execute("COMMIT")


def frozen(agent: Ringback) -> list[dict[str, object]]:
    """All months and what they owe, without what is made anew each time."""
    return agent.rows(
        "SELECT id, months.month, months.revision, figures, terms, outages, exclusions, difference, amount,"
        " currency, calculation, (SELECT group_concat(state) FROM entitlement_events"
        " WHERE entitlement = entitlements.key) AS life FROM months JOIN services ON services.key = service"
        " LEFT JOIN entitlements ON entitlements.month = months.key ORDER BY id, months.month, months.revision"
    )


def count_of(agent: Ringback, table: str) -> int:
    return int(agent.rows(f"SELECT count(*) AS number FROM {table}")[0]["number"])


def counts(agent: Ringback) -> tuple[int, int, int]:
    """Of months, entitlements and their steps, in one transaction."""
    tables = ("months", "entitlements", "entitlement_events")
    (row,) = agent.rows(
        f"SELECT {', '.join(f'(SELECT count(*) FROM {table}) AS {table}' for table in tables)}"
    )
    return int(row["months"]), int(row["entitlements"]), int(row["entitlement_events"])


def test_an_agent_that_was_off_over_two_month_ends_freezes_both_months_once(tmp_path: Path) -> None:
    agent = Ringback(tmp_path, services(1))
    lives_that_ended(agent.database, 1)
    with running(agent):
        eventually(lambda: count_of(agent, "months") == 2)
        for month, watched_days in ((BEFORE, 20), (LAST, 7)):
            (figures,) = agent.json("report", str(month))["services"]
            from_ms, to_ms = bounds(month, LUXEMBOURG)
            assert figures["complete"]
            assert figures["total_ms"] == to_ms - from_ms
            assert figures["down_ms"] == 2 * HOUR_MS
            assert figures["unknown_ms"] == to_ms - from_ms - watched_days * DAY_MS
            assert figures["credit"]["amount"] == "60.00"
            (owed,) = agent.json("credits", str(month))["entitlements"]
            assert (owed["state"], owed["amount"], owed["revision"]) == ("draft", "60.00", 1)
            assert owed["deadline"] == local_iso(to_ms + DAY_MS, LUXEMBOURG)
        eventually(lambda: agent.metric('ringback_claims{state="draft"}') == 2)
        series = f'ringback_claim_deadline_timestamp_seconds{{service="trunk-000",month="{LAST}"}}'
        assert agent.metric(series) == (bounds(LAST, LUXEMBOURG)[1] + DAY_MS) // 1000
        eventually(lambda: "claim not sent" in agent.log.read_text())
        before = frozen(agent)
        agent.kill()
        agent.start()
        assert agent.json("month", "freeze", str(LAST))["frozen"] == []
        assert frozen(agent) == before


def test_an_agent_that_is_killed_while_it_freezes_completes_it_and_nothing_is_there_twice(
    tmp_path: Path,
) -> None:
    count = 300
    chance = random.Random(4)
    agent = Ringback(tmp_path, services(count))
    lives_that_ended(agent.database, count)
    expected = as_frozen_without_a_break(agent)
    begun, kills = 0, 0
    try:
        while begun < 2 * count and kills < 40:
            agent.launch()
            target = begun + chance.randrange(1, 120)
            eventually(lambda target=target: count_of(agent, "months") >= min(target, 2 * count))
            time.sleep(chance.random() / 50)  # the random instant, not a wait for a state
            agent.kill()
            begun, drafts, steps = counts(agent)
            kills += 1
            assert begun == drafts == steps, "a month and its draft come together"
    finally:
        agent.kill()
    assert kills > 3, "it was killed in the middle"
    with running(agent):
        eventually(lambda: count_of(agent, "months") == 2 * count)
        assert agent.json("month", "freeze", str(LAST))["frozen"] == []
    assert [dict(row) for row in frozen(agent)] == expected
    assert agent.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_an_agent_that_is_told_to_stop_while_it_freezes_ends_in_order_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    count = 300
    agent = Ringback(tmp_path, services(count))
    lives_that_ended(agent.database, count)
    agent.launch()
    try:
        eventually(lambda: count_of(agent, "months") > 20)
        agent.signal(signal.SIGTERM)
        assert agent.child is not None
        assert agent.child.wait(10) == 0
    finally:
        agent.kill()
    assert 20 < count_of(agent, "months") < 2 * count, "it was stopped in the middle"
    assert "Traceback" not in agent.log.read_text()
    assert agent.rows(
        "SELECT count(*) AS number FROM runs WHERE stopped_ms IS NULL AND vantage <> 'lux-1'"
    ) == [{"number": 0}]
    with running(agent):
        eventually(lambda: count_of(agent, "months") == 2 * count)


def as_frozen_without_a_break(agent: Ringback) -> list[dict[str, object]]:
    """What there is to be, from a copy."""
    whole = agent.database.with_name("whole.db")
    with closing(sqlite3.connect(agent.database)) as source, closing(sqlite3.connect(whole)) as copy:
        source.backup(copy)
    with closing(open_for_writing(whole)) as db:
        freeze(db, load(agent.config).services, now_ms())
    kept, agent.database = agent.database, whole
    found = frozen(agent)
    agent.database = kept
    return found
