"""``ringback import csv``: tables of states and changes, by a mapping file."""

from __future__ import annotations

import pytest

from tests.cli.sites import Site

CHANGES = """
columns: {service: host_name, state: state, at: state_time}
time: unix
states: {0: up, 1: degraded, 2: down, 3: unknown}
services: {pbx01: acme-trunk}
until: 2026-11-01
"""
HISTORY = """host_name,state,state_time,output
pbx01,0,1790805600,OK
pbx02,2,1790805700,not ours
pbx01,2,1791187200,"CRITICAL, no answer"
pbx01,0,1791194400,OK
"""
SPANS = """
delimiter: ";"
columns: {state: Zustand, from: von, to: bis}
time: "%d.%m.%Y %H:%M"
timezone: Europe/Luxembourg
states: {ok: up, Ausfall: down}
services: {all: acme-trunk}
"""


def bring_in(site: Site, mapping: str, table: str, *more: str) -> object:
    (site.path / "mapping.yml").write_text(mapping)
    (site.path / "table.csv").write_text(table)
    return site.run("import", "csv", site.path / "table.csv", "--mapping", site.path / "mapping.yml", *more)


def test_changes_hold_until_the_next(site: Site) -> None:
    """1790805600 is the first of October in Luxembourg, 1791187200 the 5th at 10:00."""
    result = bring_in(site, CHANGES, HISTORY)
    assert result.exit_code == 0, result.output  # type: ignore[attr-defined]
    (month,) = site.json("report", "2026-10", "--service", "acme-trunk")["services"]
    assert (month["down_ms"], month["unknown_ms"], month["outages"]) == (7_200_000, 0, 1)
    assert month["credit"]["amount"] == "60.00"


def test_spans_with_times_and_words_of_their_own(site: Site) -> None:
    table = (
        "Zustand;von;bis\nok;01.10.2026 00:00;05.10.2026 10:00\nAusfall;05.10.2026 10:00;05.10.2026 12:00\n"
    )
    assert "imported 2 spans" in bring_in(site, SPANS, table).stderr  # type: ignore[attr-defined]
    assert "imported 0 spans" in bring_in(site, SPANS, table).stderr  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mapping", "table", "told"),
    [
        (CHANGES, "host_name,state\n", "line 1: expected columns host_name, state, state_time; there is no"),
        (CHANGES, HISTORY + "pbx01,7,0,?\n", "line 6: expected a state that the mapping knows (0, 1, 2, 3), not '7'"),
        (CHANGES, HISTORY + "pbx01,0,soon,?\n", "line 6: could not convert string to float: 'soon'"),
        (CHANGES, HISTORY + "pbx01,0,inf,?\n", "line 6: cannot convert float infinity to integer"),
        (CHANGES, HISTORY + "pbx01\n", "line 6: expected a value for state"),
        (CHANGES.replace("until: 2026-11-01", ""), HISTORY, "mapping.yml: the file: expected until"),
        (CHANGES.replace("acme-trunk", "acme"), HISTORY, "expected services of the configuration, not acme"),
        (CHANGES.replace("2: down", "2: broken"), HISTORY, "mapping.yml: states.2: Input should be 'up'"),
        (SPANS, "Zustand;von;bis\nok;02.10.2026 00:00;01.10.2026 00:00\n", "line 2: expected a row that begins"),
        ("a: [", "", "mapping.yml: expected YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_nothing_is_brought_in(
    site: Site, mapping: str, table: str, told: str
) -> None:
    result = bring_in(site, mapping, table)
    assert result.exit_code == 1  # type: ignore[attr-defined]
    assert told in result.stderr  # type: ignore[attr-defined]
    assert not site.database.exists()
