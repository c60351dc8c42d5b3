"""Incidents from report to resolution, and the drafts of their breached clocks."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from monitor.ledger.breaches import draft_open_breaches
from monitor.ledger.claiming import Approve, Submit, WithdrawClaim
from monitor.ledger.entitlements import Entitlement, Wanted, find
from monitor.ledger.errors import LedgerError
from monitor.ledger.incident_clocks import Standing, standings
from monitor.ledger.incident_record import incident_record
from monitor.ledger.incidents import EnterEvent, LinkOutage, OpenIncident
from monitor.ledger.request import checked
from monitor.store import incidents
from monitor.store.database import StoreError
from tests.ledger.books import OUTAGE, SERVICES, Book, at, line

REPORTED = "2026-10-16T14:00"
"""A Friday. Enterprise is handled 07–19 every day: due at 17:00, at 08:00 and at 10:00 of the next day."""


def open_one(book: Book, now: str = REPORTED, **fields: Any) -> str:
    book.now = now
    asked = {"service": "acme-trunk", "reported_ms": at(REPORTED), "author": "noc", **fields}
    return str(book.ask(checked(OpenIncident, asked))["uid"])


def enter(book: Book, uid: str, event: str, when: str, now: str | None = None, note: str = "") -> Any:
    book.now = now or when
    fields = {"uid": uid, "event": event, "at_ms": at(when), "author": "noc", "note": note}
    return book.ask(checked(EnterEvent, fields))


def standing(book: Book, uid: str) -> Standing:
    (found,) = standings(book.db, [incidents.one(book.db, uid)], book.now_ms)
    return found


def statuses(book: Book, uid: str) -> dict[str, str]:
    return {clock.name: clock.status for clock in standing(book, uid).clocks}


def claims(book: Book) -> list[Entitlement]:
    return sorted(find(book.db, Wanted()), key=lambda one: one.key)


def drafts(book: Book) -> list[tuple[str | None, str]]:
    return [(one.clock, one.state) for one in claims(book)]


def pass_time(book: Book, now: str) -> list[str]:
    """What the agent does as time passes."""
    book.now = now
    return [one.clock for one in book.write(lambda db: draft_open_breaches(db, book.now_ms))]


def test_an_incident_that_keeps_its_deadlines_owes_nothing(book: Book) -> None:
    uid = open_one(book, title="no inbound calls", reference="T-1")
    assert statuses(book, uid) == {"mrt": "running", "tti": "running", "ttr": "running"}
    enter(book, uid, "acknowledged", "2026-10-16T17:00")
    enter(book, uid, "intervention", "2026-10-17T07:30")
    assert enter(book, uid, "resolved", "2026-10-17T10:00")["drafted"] == []
    assert statuses(book, uid) == {"mrt": "met", "tti": "met", "ttr": "met"}
    assert pass_time(book, "2026-12-01") == []
    assert drafts(book) == []


def test_a_breached_clock_drafts_a_claim_without_an_amount(book: Book) -> None:
    uid = open_one(book)
    assert enter(book, uid, "acknowledged", "2026-10-16T17:00:01")["drafted"] == ["mrt"]
    (claim,) = claims(book)
    assert (claim.kind, claim.clock, claim.incident, claim.state) == ("response", "mrt", uid, "draft")
    assert (claim.amount, claim.currency, str(claim.month)) == (None, "EUR", "2026-10")
    steps = {what: (how, result) for what, how, result in claim.calculation}
    assert steps["agreed"] == ("response (MRT) of mixvoip/enterprise", "3 h 00 min 00 s")
    assert steps["due"][1] == "2026-10-16T17:00:00+02:00"
    assert steps["handling time used"] == ("until 2026-10-16T17:00:01+02:00", "3 h 00 min 01 s")
    assert steps["amount"][1] == "to be agreed"


def test_a_deadline_that_passes_is_drafted_once_however_often_it_is_looked_at(book: Book) -> None:
    uid = open_one(book)
    assert pass_time(book, "2026-10-16T17:00") == []
    assert pass_time(book, "2026-10-16T17:00:00.001") == ["mrt"]
    assert pass_time(book, "2026-10-16T18:00") == []
    assert pass_time(book, "2026-10-17T12:00") == ["tti", "ttr"]
    assert statuses(book, uid) == dict.fromkeys(("mrt", "tti", "ttr"), "breached and running")
    enter(book, uid, "resolved", "2026-10-18T12:00")
    assert pass_time(book, "2026-12-01") == []
    assert drafts(book) == [("mrt", "draft"), ("tti", "draft"), ("ttr", "draft")]


def test_an_incident_entered_afterwards_drafts_what_was_breached_at_once(book: Book) -> None:
    open_one(book, now="2026-10-17T08:30")
    assert drafts(book) == [("mrt", "draft"), ("tti", "draft")]


@pytest.mark.parametrize(
    ("event", "when", "message"),
    [
        ("acknowledged", "2026-10-16T13:59", "before the incident was reported, at 2026-10-16T14:00"),
        ("resolved", "2026-10-16T14:59", "before the incident was attended to, at 2026-10-16T15:00"),
        ("acknowledged", "2026-10-16T15:01", "after the incident was attended to"),
        ("resolved", "2026-10-16T19:00", "not ahead of now"),
    ],
)
def test_what_does_not_come_in_its_order_is_refused(book: Book, event: str, when: str, message: str) -> None:
    uid = open_one(book)
    enter(book, uid, "intervention", "2026-10-16T15:00")
    with pytest.raises(LedgerError, match=message):
        enter(book, uid, event, when, now="2026-10-16T18:00")
    assert standing(book, uid).incident.state == "intervention"


def test_what_is_entered_anew_holds_and_what_was_entered_stays_on_record(book: Book) -> None:
    uid = open_one(book)
    enter(book, uid, "acknowledged", "2026-10-16T17:30", note="by the clock on the wall")
    assert drafts(book) == [("mrt", "draft")]
    enter(book, uid, "acknowledged", "2026-10-16T16:30", now="2026-10-16T18:00", note="their ticket says so")
    assert statuses(book, uid)["mrt"] == "met"
    assert drafts(book) == [("mrt", "superseded")]
    assert claims(book)[0].events[-1].note == "acknowledged entered by noc: their ticket says so"
    assert standing(book, uid).incident.events[0].note == "by the clock on the wall"
    enter(book, uid, "acknowledged", "2026-10-16T17:01", now="2026-10-16T18:30")
    assert drafts(book) == [("mrt", "draft")]


def test_a_claim_that_was_sent_is_left_as_it_is(book: Book) -> None:
    uid = open_one(book)
    enter(book, uid, "acknowledged", "2026-10-16T17:30")
    for step in (Approve, Submit):
        book.ask(checked(step, {"uids": [claims(book)[0].uid], "author": "anna"}))
    enter(book, uid, "acknowledged", "2026-10-16T16:30", now="2026-10-16T18:00")
    assert drafts(book) == [("mrt", "submitted")]


def test_a_claim_that_somebody_withdrew_is_not_drafted_again(book: Book) -> None:
    uid = open_one(book)
    pass_time(book, "2026-10-16T17:30")
    book.ask(checked(WithdrawClaim, {"uids": [claims(book)[0].uid], "author": "anna"}))
    assert pass_time(book, "2026-10-16T18:00") == []
    assert enter(book, uid, "acknowledged", "2026-10-16T18:30")["drafted"] == []
    assert drafts(book) == [("mrt", "withdrawn")]


def test_a_superseded_claim_cannot_be_taken_up_by_people(book: Book) -> None:
    uid = open_one(book)
    enter(book, uid, "acknowledged", "2026-10-16T17:30")
    enter(book, uid, "acknowledged", "2026-10-16T16:30", now="2026-10-16T18:00")
    with pytest.raises(LedgerError, match="is superseded, and that is final"):
        book.ask(checked(Approve, {"uids": [claims(book)[0].uid], "author": "anna"}))


def test_a_withdrawn_incident_owes_nothing_and_takes_nothing_more(book: Book) -> None:
    uid = open_one(book)
    pass_time(book, "2026-10-16T17:30")
    enter(book, uid, "withdrawn", "2026-10-16T18:00", note="the wrong service")
    assert statuses(book, uid) == {}
    assert drafts(book) == [("mrt", "superseded")]
    assert pass_time(book, "2026-12-01") == []
    with pytest.raises(LedgerError, match="was withdrawn by noc: the wrong service"):
        enter(book, uid, "resolved", "2026-10-16T19:00")


def test_a_reference_is_given_when_there_is_one(book: Book) -> None:
    uid = open_one(book)
    enter(book, uid, "reference", "2026-10-16T14:10", note="T-4711")
    assert standing(book, uid).incident.reference == "T-4711"
    for event in ("reference", "withdrawn"):
        with pytest.raises(LedgerError, match="expected"):
            enter(book, uid, event, "2026-10-16T14:20")


def test_an_incident_is_opened_from_an_outage(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    asked = {"outage_ms": at("2026-10-10T10:00"), "reported_ms": at("2026-10-10T10:05")}
    uid = open_one(book, now="2026-10-10T10:30", **asked)
    record = incident_record(standing(book, uid))
    assert (record["title"], record["outages"]) == ("imported", ["2026-10-10T10:00:00+02:00"])
    assert record["clocks"]["mrt"]["deadline"] == "2026-10-10T13:05:00+02:00"
    with pytest.raises(LedgerError, match="has no outage that began at that instant"):
        open_one(book, outage_ms=at("2026-10-10T11:00"))


def test_an_outage_is_linked_afterwards_and_only_one_of_its_service(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    uid = open_one(book)
    fields = {"uid": uid, "outage_ms": at("2026-10-10T10:00"), "author": "noc"}
    for _ in range(2):
        book.ask(checked(LinkOutage, fields))
    assert standing(book, uid).incident.outages == (at("2026-10-10T10:00"),)
    with pytest.raises(LedgerError, match="has no outage"):
        book.ask(checked(LinkOutage, {**fields, "outage_ms": at("2026-10-10T10:01")}))


def test_the_terms_are_those_of_the_report_whatever_the_configuration_says_later(book: Book) -> None:
    uid = open_one(book)
    book.configure(SERVICES.replace("enterprise", "basic"))
    pass_time(book, "2026-10-16T17:30")
    assert statuses(book, uid)["mrt"] == "breached and running"


def test_a_public_holiday_stops_the_clocks_of_a_plan_that_says_so(book: Book) -> None:
    """The national day of Luxembourg is on 23 June."""
    book.configure(SERVICES + "    overrides: {holidays: LU}\n")
    uid = open_one(book, now="2026-06-22T18:00", reported_ms=at("2026-06-22T18:00"))
    assert incident_record(standing(book, uid))["clocks"]["mrt"]["deadline"] == "2026-06-24T09:00:00+02:00"


def test_a_service_without_a_plan_has_incidents_without_clocks(book: Book) -> None:
    book.configure("services:\n  - {id: acme-trunk, timezone: Europe/Luxembourg}\n")
    uid = open_one(book, now="2026-12-01")
    assert incident_record(standing(book, uid))["clocks"] == {"mrt": None, "tti": None, "ttr": None}
    assert drafts(book) == []


def test_what_is_not_known_is_refused(book: Book) -> None:
    with pytest.raises(LedgerError, match="expected a service of the configuration"):
        open_one(book, service="nobody")
    with pytest.raises(StoreError, match="there is no incident whose id begins with '00'"):
        enter(book, "00", "resolved", "2026-10-16T15:00")
    with pytest.raises(LedgerError, match="the report to be in the past"):
        open_one(book, now="2026-10-16T13:00")


@pytest.mark.parametrize("table", ["incidents", "incident_events", "incident_outages"])
def test_what_was_entered_is_never_edited(book: Book, table: str) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    uid = open_one(book, now="2026-10-17", outage_ms=at("2026-10-10T10:00"))
    enter(book, uid, "resolved", "2026-10-17T10:00")
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET author = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            book.db.execute(statement)
