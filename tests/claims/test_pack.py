"""What a claim pack says, from what was frozen alone."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from monitor.claims.pack import canonical, schema
from monitor.ledger.errors import LedgerError
from monitor.sla.months import local_iso
from tests.agent.real import REPOSITORY
from tests.claims.packs import ACME, of_claim, of_customer
from tests.ledger.books import LUXEMBOURG, OUTAGE, Book, at, line, new_book

VALIDATOR = Draft202012Validator(schema())
DAY_MS = 86_400_000


def owing(book: Book) -> Book:
    book.configure(ACME)
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    return book


def test_a_pack_tells_what_is_claimed_and_what_it_follows_from(book: Book) -> None:
    owing(book)
    pack = of_claim(book)
    (claim,) = pack["claims"]
    assert (pack["customer"], pack["month"], pack["totals"]) == (
        "ACME S.A.",
        "2026-10",
        [{"currency": "EUR", "amount": "60.00"}],
    )
    assert claim["service"] == {"id": "acme-trunk", "name": "ACME head office"}
    assert (claim["revision"], claim["state"], claim["amount"]) == (1, "draft", "60.00")
    assert claim["figures"] == book.figures("2026-10")
    assert (claim["terms"]["provider"], claim["terms"]["guarantee"]) == ("Mixvoip", "0.9990")
    (outage,) = claim["outages"]
    assert (outage["first_bad"], outage["counted_ms"]) == ("2026-10-10T10:00:00+02:00", 7_200_000)
    assert claim["calculation"][-1]["result"] == "60.00 EUR"
    VALIDATOR.validate(pack)


def test_a_pack_is_the_same_bytes_each_time_and_whatever_is_configured_later(book: Book) -> None:
    owing(book)
    before = canonical(of_claim(book))
    assert canonical(of_claim(book)) == before
    assert json.loads(before) == of_claim(book)
    book.configure(ACME.replace("100.00 EUR", "900.00 EUR").replace("enterprise", "advanced"))
    assert canonical(of_claim(book)) == before


def test_each_revision_keeps_its_own_pack(book: Book) -> None:
    owing(book)
    first = of_claim(book)["claims"][0]
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    again, second = of_claim(book, 0)["claims"][0], of_claim(book)["claims"][0]
    assert (again["state"], again["figures"]) == ("superseded", first["figures"])
    assert (second["revision"], second["amount"]) == (2, "55.00")
    assert second["outages"][0]["counted_ms"] == 110 * 60_000
    assert second["exclusions"][0]["exclusion"] == "maintenance"


def test_a_portfolio_has_what_the_customer_still_claims(book: Book) -> None:
    second = ACME.split("services:\n")[1].replace("acme-trunk", "acme-fax").replace("100.00", "50.00")
    other = second.replace("acme-fax", "zeta").replace("ACME S.A.", "Zeta")
    book.configure(ACME + second + other)
    for service in ("acme-trunk", "acme-fax", "zeta"):
        book.bring_in(*(line(*span, service) for span in OUTAGE))
    book.freeze()
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    pack = of_customer(book)
    assert [(one["service"]["id"], one["amount"]) for one in pack["claims"]] == [
        ("acme-fax", "30.00"),
        ("acme-trunk", "55.00"),
    ]
    assert pack["totals"] == [{"currency": "EUR", "amount": "85.00"}]
    VALIDATOR.validate(pack)
    with pytest.raises(LedgerError, match="claims nothing for 2026-09"):
        of_customer(book, month="2026-09")


def test_an_incident_about_an_outage_brings_its_latest_ticket(book: Book) -> None:
    owing(book)
    book.db.execute(
        "INSERT INTO incidents (uid, service, title, reference, reported_ms, terms, author, entered_ms)"
        " VALUES ('i-1', 1, 'no calls', 'T-1', ?, '{}', 'noc', 0)",
        (at("2026-10-10T10:05"),),
    )
    for event, when, note in (
        ("acknowledged", "2026-10-10T10:30", ""),
        ("reference", "2026-10-10T10:40", "T-2"),
    ):
        book.db.execute(
            "INSERT INTO incident_events (incident, event, at_ms, author, note, entered_ms)"
            " VALUES (1, ?, ?, 'noc', ?, 0)",
            (event, at(when), note),
        )
    assert of_claim(book)["claims"][0]["incidents"] == []
    book.db.execute(
        "INSERT INTO incident_outages (incident, first_bad_ms, author, entered_ms) VALUES (1, ?, 'noc', 0)",
        (at("2026-10-10T10:00"),),
    )
    pack = of_claim(book)
    (incident,) = pack["claims"][0]["incidents"]
    assert (incident["reference"], incident["acknowledged"]) == ("T-2", "2026-10-10T10:30:00+02:00")
    VALIDATOR.validate(pack)


def test_the_probes_of_an_outage_are_in_the_pack(book: Book) -> None:
    owing(book)
    book.db.executescript(
        "INSERT INTO runs (uid, vantage, version, started_ms, heartbeat_ms) VALUES ('r', 'lux-1', '0', 0, 0);"
        "INSERT INTO checks (service, name) VALUES (1, 'sip:192.0.2.1');"
        'INSERT INTO check_changes (key, run, "check", at_ms, state, reason, recorded_ms)'
        f" VALUES (7, 1, 1, {at('2026-10-10T10:00')}, 'down', 'no answer', 0);"
        "INSERT INTO evidence (check_change, sent_ms, verdict, reason, round_trip_us, detail)"
        f" VALUES (7, {at('2026-10-10T10:00')}, 'bad', 'no answer', NULL, '{{\"sent\": 3}}');"
    )
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")  # the revision names the change
    (change,) = of_claim(book)["claims"][0]["outages"][0]["evidence"]
    assert (change["vantage"], change["check"], change["state"]) == ("lux-1", "sip:192.0.2.1", "down")
    assert change["probes"][0]["detail"] == {"sent": 3}
    VALIDATOR.validate(of_claim(book))


def test_an_outage_over_the_months_end_counts_in_each_with_its_part(book: Book) -> None:
    book.configure(ACME)
    book.bring_in(
        line("up", "2026-09-01", "2026-09-30T22:00"),
        line("down", "2026-09-30T22:00", "2026-10-01T03:00"),
        line("up", "2026-10-01T03:00", "2026-11-01"),
    )
    book.freeze()
    for month, hours in (("2026-09", 2), ("2026-10", 3)):
        (outage,) = of_claim(book, month=month)["claims"][0]["outages"]
        assert (outage["down_ms"], outage["counted_ms"]) == (5 * 3_600_000, hours * 3_600_000)


def test_an_outage_with_a_gap_in_it_is_not_told_apart(book: Book) -> None:
    owing(book)
    outages = json.loads(book.db.execute("SELECT outages FROM months").fetchone()[0])
    outages[0]["down_ms"] -= 1
    book.db.execute("DROP TRIGGER months_no_update")
    book.db.execute("UPDATE months SET outages = ?", (json.dumps(outages),))
    assert of_claim(book)["claims"][0]["outages"][0]["counted_ms"] is None


def test_a_breached_clock_has_a_pack_without_figures(book: Book) -> None:
    owing(book)
    book.db.execute(
        "INSERT INTO incidents (key, uid, service, title, reference, reported_ms, terms, author, entered_ms)"
        " SELECT 1, 'i-1', service, 'no calls', 'T-1', ?, terms, 'noc', 0 FROM months",
        (at("2026-10-10T10:05"),),
    )
    book.db.execute(
        "INSERT INTO entitlements (key, uid, kind, incident, clock, calculation, drafted_ms)"
        " VALUES (9, 'e-9', 'response', 1, 'ttr', '[[\"TTR\", \"8 h\", \"breached\"]]', 0)"
    )
    book.db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note) VALUES (9, 'draft', 0, 'x', '')"
    )
    pack = of_customer(book)
    assert [one["kind"] for one in pack["claims"]] == ["availability", "response"]
    claim = pack["claims"][1]
    assert (claim["amount"], claim["figures"], claim["clock"]) == (None, None, "ttr")
    assert claim["incidents"][0]["reference"] == "T-1"
    assert pack["totals"] == [{"currency": "EUR", "amount": "60.00"}]
    VALIDATOR.validate(pack)


def test_the_published_schema_is_that_of_the_packs() -> None:
    published = (REPOSITORY / "docs" / "claim-pack.schema.json").read_text()
    assert json.loads(published) == schema()
    Draft202012Validator.check_schema(schema())


def test_the_schema_refuses_what_is_no_pack(book: Book) -> None:
    owing(book)
    pack = of_claim(book)
    for name, value in (("amount", 60.0), ("drafted", "yesterday"), ("extra", 1), ("month", "2026-13")):
        broken = {**pack, "claims": [{**pack["claims"][0], name: value}]}
        assert not VALIDATOR.is_valid(broken), name


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 31 * DAY_MS - 1), min_size=2, max_size=12, unique=True), st.data())
def test_every_pack_validates_and_its_outages_come_to_the_downtime(
    tmp_path_factory: pytest.TempPathFactory, edges: list[int], data: st.DataObject
) -> None:
    edges = sorted(edges)[: len(edges) // 2 * 2]
    book = new_book(tmp_path_factory.mktemp("book"))
    book.configure(ACME)
    begin = at("2026-10-01")
    lines, last = [], begin
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        lines.append((last, begin + start, "up"))
        lines.append((begin + start, begin + end, "down"))
        last = begin + end
    lines.append((last, at("2026-11-01"), "up"))
    book.bring_in(
        *(
            json.dumps(
                {
                    "service": "acme-trunk",
                    "state": state,
                    "from": local_iso(a, LUXEMBOURG),
                    "to": local_iso(b, LUXEMBOURG),
                }
            )
            for a, b, state in lines
            if a < b
        )
    )
    if data.draw(st.booleans()):
        book.exclude("2026-10-05", "2026-10-07T03:00")
    book.freeze()
    try:
        if book.credits("2026-10"):
            pack = of_claim(book)
            VALIDATOR.validate(json.loads(canonical(pack)))
            (claim,) = pack["claims"]
            assert claim["figures"] is not None
            assert sum(one["counted_ms"] or 0 for one in claim["outages"]) == claim["figures"]["down_ms"]
            assert Decimal(claim["amount"] or 0) == Decimal(pack["totals"][0]["amount"])
    finally:
        book.db.close()
