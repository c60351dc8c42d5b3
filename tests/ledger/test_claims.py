"""The life of a claim: its steps, its amendments, and what becomes of it in money."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger.claim_sums import Sums, sums_of_year
from monitor.ledger.claiming import Approve, ClaimStep, Reject, Settle, Submit, WithdrawClaim
from monitor.ledger.claims import STEPS
from monitor.ledger.entitlements import Entitlement
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import checked
from tests.ledger.books import OUTAGE, SERVICES, Book, line, new_book

MONTH = "2026-10"
STEP: dict[str, type[ClaimStep]] = {
    "approve": Approve,
    "submit": Submit,
    "settle": Settle,
    "reject": Reject,
    "withdraw": WithdrawClaim,
}
LEADS_TO = {"approve": "approved", "submit": "submitted", "settle": "accepted", "reject": "rejected"}


def take(book: Book, step: str, claim: Entitlement, **fields: Any) -> dict[str, Any]:
    return book.ask(checked(STEP[step], {"uids": [claim.uid], "author": "noc", **fields}))


def take_all(book: Book, *steps: str) -> Entitlement:
    """Take the newest claim these steps further."""
    for step in steps:
        take(book, step, book.credits(MONTH)[-1])
    return book.credits(MONTH)[-1]


def states(book: Book) -> list[tuple[str, str | None]]:
    return [(one.state, one.amount) for one in book.credits(MONTH)]


def half(book: Book) -> str:
    """Exclude one of the two hours of the outage: 30.00 instead of 60.00 EUR."""
    return str(book.exclude("2026-10-10T10:00", "2026-10-10T11:00")["uid"])


@pytest.fixture
def owing(book: Book) -> Book:
    """A book with a draft of 60.00 EUR."""
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    return book


def test_each_step_is_kept_with_author_time_note_and_reference(owing: Book) -> None:
    (draft,) = owing.credits(MONTH)
    take(owing, "approve", draft, author="anna", note="compared with their report")
    take(owing, "submit", draft, author="ben", reference="F-118")
    take(owing, "settle", draft, author="ben", reference="CN-4711", amount="45.5", note="goodwill")
    (claim,) = owing.credits(MONTH)
    assert [(one.state, one.author, one.note, one.reference, one.amount) for one in claim.events] == [
        ("draft", "ringback", "the month is over", "", None),
        ("approved", "anna", "compared with their report", "", None),
        ("submitted", "ben", "", "F-118", None),
        ("partly accepted", "ben", "goodwill", "CN-4711", "45.50"),
    ]
    assert {one.at_ms for one in claim.events} == {owing.now_ms}
    assert (claim.reference, claim.accepted) == ("CN-4711", Decimal("45.50"))


def test_a_step_that_is_not_possible_is_refused_with_those_that_are(owing: Book) -> None:
    (draft,) = owing.credits(MONTH)
    with pytest.raises(LedgerError, match="is draft: it can be approved or withdrawn, not submitted"):
        take(owing, "submit", draft)
    take_all(owing, "approve", "submit")
    message = "is submitted: it can be accepted, partly accepted, rejected or withdrawn, not approved"
    with pytest.raises(LedgerError, match=message):
        take(owing, "approve", draft)
    take(owing, "reject", draft)
    with pytest.raises(LedgerError, match="is rejected, and that is final"):
        take(owing, "withdraw", draft)


def test_several_claims_take_a_step_together_or_not_at_all(book: Book) -> None:
    second = SERVICES + SERVICES.replace("services:", "").replace("acme-trunk", "acme-link")
    book.configure(second.replace("    tags:", "    customer: ACME S.A.\n    tags:"))
    book.bring_in(*(line(*span, service=one) for span in OUTAGE for one in ("acme-trunk", "acme-link")))
    book.freeze()
    link, trunk = book.credits(MONTH)
    take(book, "approve", link)
    both = {"uids": [link.uid[:8], trunk.uid[:8]], "author": "noc"}
    with pytest.raises(LedgerError, match="can be submitted or withdrawn, not approved"):
        book.ask(checked(Approve, both))
    assert [one.state for one in book.credits(MONTH)] == ["approved", "draft"]
    of_customer = {"customer": "ACME S.A.", "month": MONTH, "author": "noc"}
    assert [one["service"] for one in book.ask(checked(Approve, of_customer))["claims"]] == ["acme-trunk"]
    assert len(book.ask(checked(Submit, of_customer))["claims"]) == 2
    with pytest.raises(LedgerError, match="has no claim for 2026-10 that can be submitted"):
        book.ask(checked(Submit, of_customer))
    with pytest.raises(LedgerError, match="expected a customer of the configuration"):
        book.ask(checked(Approve, {**of_customer, "customer": "nobody"}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expected ids of claims, or a customer and a month"),
        ({"uids": ["a"], "customer": "ACME", "month": MONTH}, "expected ids of claims"),
        ({"customer": "ACME"}, "expected ids of claims"),
        ({"customer": "ACME", "month": "2026-13"}, "expected a month"),
        ({"uids": ["a"], "note": "two\nlines"}, "one line of text"),
        ({"uids": ["a", "b"], "amount": "1.00"}, "expected one claim"),
        ({"uids": ["a"], "amount": "1e3"}, "expected an amount"),
        ({"uids": ["a"], "amount": "NaN"}, "expected an amount"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        checked(Settle, {"author": "noc", **fields})


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("60.01", "expected 0 to the 60.00 EUR that it claims"),
        ("-1.00", "expected 0 to the 60.00 EUR"),
        ("0.00", "what is accepted with nothing is rejected"),
        ("10.001", "expected 2 digits"),
    ],
)
def test_no_more_than_was_claimed_is_accepted(owing: Book, amount: str, message: str) -> None:
    claim = take_all(owing, "approve", "submit")
    with pytest.raises(LedgerError, match=message):
        take(owing, "settle", claim, amount=amount)
    assert states(owing) == [("submitted", "60.00")]


def test_what_is_paid_may_come_in_parts_and_is_never_more_than_was_accepted(owing: Book) -> None:
    claim = take_all(owing, "approve", "submit")
    with pytest.raises(LedgerError, match="it can be accepted"):
        take(owing, "settle", claim, paid="10.00")
    take(owing, "settle", claim, amount="50.00", paid="20.00")
    with pytest.raises(LedgerError, match=r"30\.00 EUR are left to be paid, not 30\.01"):
        take(owing, "settle", claim, paid="30.01")
    take(owing, "settle", claim, paid="30")
    (paid,) = owing.credits(MONTH)
    assert (paid.state, paid.accepted, paid.paid) == ("paid", Decimal("50.00"), Decimal("50.00"))
    for amount in ("0.01", "-1.00"):
        with pytest.raises(LedgerError, match="is paid"):
            take(owing, "settle", claim, paid=amount)


def test_a_draft_that_was_approved_is_superseded_by_a_revision_and_never_amended(owing: Book) -> None:
    take_all(owing, "approve")
    half(owing)
    assert states(owing) == [("superseded", "60.00"), ("draft", "30.00")]
    assert owing.credits(MONTH)[-1].amends is None


@pytest.mark.parametrize("steps", [(), ("settle",), ("reject",)])
def test_a_revision_after_a_claim_was_sent_drafts_an_amendment(owing: Book, steps: tuple[str, ...]) -> None:
    sent = take_all(owing, "approve", "submit", *steps)
    half(owing)
    kept, amendment = owing.credits(MONTH)
    assert kept == sent
    assert (amendment.state, amendment.amount, amendment.difference) == ("draft", "30.00", Decimal("-30.00"))
    assert amendment.amends is not None
    assert (amendment.amends.uid, amendment.amends.amount) == (sent.uid, Decimal("60.00"))
    assert amendment.events[0].note.endswith("entered by noc: new SBC")


def test_an_amendment_that_was_not_sent_is_superseded_by_the_next_revision(owing: Book) -> None:
    sent = take_all(owing, "approve", "submit")
    half(owing)
    owing.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    assert states(owing)[1:] == [("superseded", "30.00"), ("draft", "25.00")]
    last = owing.credits(MONTH)[-1]
    assert last.amends is not None
    assert last.amends.uid == sent.uid
    assert last.difference == Decimal("-35.00")


def test_a_revision_back_to_what_was_claimed_needs_no_amendment(owing: Book) -> None:
    take_all(owing, "approve", "submit")
    owing.withdraw(half(owing))
    assert states(owing) == [("submitted", "60.00"), ("superseded", "30.00")]


def test_a_revision_to_nothing_after_a_claim_was_sent_drafts_an_amendment_of_zero(owing: Book) -> None:
    take_all(owing, "approve", "submit")
    owing.exclude("2026-10-10", "2026-10-11")
    amendment = owing.credits(MONTH)[-1]
    assert (amendment.state, amendment.amount, amendment.difference) == ("draft", "0.00", Decimal("-60.00"))
    assert amendment.calculation == (("amount", "the guarantee was met", "0.00 EUR"),)
    take_all(owing, "approve", "submit", "settle")
    assert owing.credits(MONTH)[-1].state == "accepted"


def test_what_was_withdrawn_is_not_amended(owing: Book) -> None:
    first = take_all(owing, "approve", "submit")
    uid = half(owing)
    take_all(owing, "approve", "submit", "withdraw")
    owing.withdraw(uid)
    owing.exclude("2026-10-10T10:00", "2026-10-10T10:30")
    last = owing.credits(MONTH)[-1]
    assert last.amends is not None
    assert last.amends.uid == first.uid
    assert (last.amount, last.difference) == ("45.00", Decimal("-15.00"))
    take(owing, "withdraw", first)
    assert owing.credits(MONTH)[-1].difference is None


def test_what_was_sent_and_withdrawn_is_drafted_anew_by_a_revision_to_the_same_amount(owing: Book) -> None:
    first = take_all(owing, "approve", "submit")
    uid = half(owing)
    take(owing, "withdraw", first)
    owing.withdraw(uid)
    assert states(owing) == [("withdrawn", "60.00"), ("superseded", "30.00"), ("draft", "60.00")]
    assert owing.credits(MONTH)[-1].amends is None


def test_after_an_amendment_was_accepted_it_is_what_is_paid(owing: Book) -> None:
    first = take_all(owing, "approve", "submit", "settle")
    take(owing, "settle", first, paid="40.00")
    half(owing)
    amendment = take_all(owing, "approve", "submit", "settle")
    with pytest.raises(LedgerError, match="was amended: record what is paid with the claim"):
        take(owing, "settle", first, paid="20.00")
    with pytest.raises(LedgerError, match=r"-10\.00 EUR are left to be paid"):
        take(owing, "settle", amendment, paid="10.00")
    take(owing, "settle", amendment, paid="-10.00")
    (year,) = sums_of_year(owing.db, 2026, {})
    assert year.sums == Sums(
        claimed=Decimal(30), accepted=Decimal(30), rejected=Decimal(0), open=Decimal(0), paid=Decimal(30)
    )


def test_while_an_amendment_is_under_way_the_earlier_decision_stands(owing: Book) -> None:
    claim = take_all(owing, "approve", "submit")
    take(owing, "settle", claim, amount="50.00", paid="50.00")
    half(owing)
    take_all(owing, "approve", "submit")
    (year,) = sums_of_year(owing.db, 2026, {"acme-trunk": "ACME"})
    assert (year.customer, str(year.month), year.currency) == ("ACME", MONTH, "EUR")
    assert year.sums == Sums(Decimal(0), Decimal(30), Decimal(50), Decimal(10), Decimal(-30), Decimal(50))
    take_all(owing, "reject")
    (year,) = sums_of_year(owing.db, 2026, {})
    assert (year.sums.accepted, year.sums.rejected) == (Decimal(50), Decimal(-20))


def test_the_claims_of_services_that_were_drafted_in_turns_are_summed_up_each_for_itself(book: Book) -> None:
    book.configure(SERVICES + SERVICES.removeprefix("\nservices:\n").replace("acme-trunk", "other-trunk"))
    services = ("acme-trunk", "other-trunk")
    book.bring_in(*(line(*span, service=service) for service in services for span in OUTAGE))
    book.freeze()
    for step in ("approve", "submit"):
        for claim in book.credits(MONTH):
            take(book, step, claim)
    half(book)
    book.exclude("2026-10-10T10:00", "2026-10-10T11:00", subject="other-trunk")
    drafted = book.db.execute(
        "SELECT services.id FROM entitlements JOIN months ON months.key = entitlements.month"
        " JOIN services ON services.key = service ORDER BY entitlements.key"
    ).fetchall()
    assert drafted == [(service,) for service in services * 2]
    (year,) = sums_of_year(book.db, 2026, {})
    assert year.sums == Sums(drafted=Decimal(-60), claimed=Decimal(120), open=Decimal(120))


def test_a_claim_tells_until_when_it_has_to_be_sent(book: Book) -> None:
    book.configure(SERVICES + "    overrides: {claim_within: 30d}\n")
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    (draft,) = book.credits(MONTH)
    assert draft.deadline_ms == draft.to_send_by_ms
    book.configure(SERVICES)
    assert book.credits(MONTH)[0].deadline_ms == draft.deadline_ms, "as it was when the month was frozen"
    assert take_all(book, "approve", "submit").to_send_by_ms is None


HOURS = ("10:00", "10:20", "10:40", "11:00", "11:20", "11:40", "12:00")
ACTION = st.one_of(
    st.tuples(st.just("exclude"), st.integers(0, 5), st.integers(1, 6)),
    st.tuples(st.just("restore"), st.just(0), st.just(0)),
    st.tuples(st.sampled_from(sorted(STEP)), st.integers(0, 9), st.sampled_from([0, 0, 7, 20])),
)
"""What, of which, how much."""


@contextmanager
def fresh() -> Iterator[Book]:
    with tempfile.TemporaryDirectory() as directory:
        book = new_book(Path(directory))
        book.bring_in(*(line(*span) for span in OUTAGE))
        book.freeze()
        yield book
        book.db.close()


def act(book: Book, excluded: list[str], what: str, which: int, much: int) -> None:
    if what == "exclude" and which < much:
        day = "2026-10-10T"
        excluded.append(book.exclude(day + HOURS[which], day + HOURS[much])["uid"])
    elif what == "restore" and excluded:
        book.withdraw(excluded.pop())
    elif what in STEP:
        claims = book.credits(MONTH)
        claim = claims[which % len(claims)]
        fields: dict[str, Any] = {}
        if what == "settle" and much:
            paying = "paid" if claim.accepted is not None else "amount"
            fields[paying] = f"{much}.00"
        try:
            take(book, what, claim, **fields)
        except LedgerError:
            assert book.credits(MONTH) == claims, "what is refused changes nothing"
        else:
            to = book.credits(MONTH)[claims.index(claim)].state
            assert to in STEPS[claim.state]
            assert to == LEADS_TO.get(what, "withdrawn") or what == "settle"


def check(book: Book, revised: bool) -> None:
    """What always holds."""
    claims = book.credits(MONTH)
    living = [one for one in claims if one.state in ("draft", "approved")]
    assert len(living) <= 1
    sent = [
        one
        for one in claims
        if any(event.state == "submitted" for event in one.events) and one.state != "withdrawn"
    ]
    claimed = Decimal(sent[-1].amount or 0) if sent else Decimal(0)
    owed = book.figures(MONTH)["credit"]
    amount = Decimal(0) if owed is None else Decimal(owed["amount"])
    if living:
        assert living == [claims[-1]], "only the latest revision is to be sent"
        assert Decimal(living[0].amount or 0) == amount
        assert claimed + (living[0].difference if living[0].amends else amount) == amount
        assert (living[0].amends and living[0].amends.uid) == (sent[-1].uid if sent else None)
    elif revised:
        assert claimed == amount, "what is owed is claimed, or a draft says so"
    year = sum((one.sums for one in sums_of_year(book.db, 2026, {})), Sums())
    assert year.claimed == claimed == year.accepted + year.rejected + year.open
    assert year.drafted == (amount - claimed if living else 0)
    assert year.paid == sum((one.paid for one in claims), Decimal(0))


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTION, max_size=14))
def test_whatever_is_done_one_draft_at_most_is_living_and_no_sent_claim_is_changed_by_a_revision(
    actions: list[tuple[str, int, int]],
) -> None:
    with fresh() as book:
        excluded: list[str] = []
        check(book, True)
        for what, which, much in actions:
            sent = {one.uid: one for one in book.credits(MONTH) if one.was_sent}
            revisions = book.db.execute("SELECT max(revision) FROM months").fetchone()
            act(book, excluded, what, which, much)
            revised = book.db.execute("SELECT max(revision) FROM months").fetchone() != revisions
            if what in ("exclude", "restore"):
                assert {one.uid: one for one in book.credits(MONTH) if one.was_sent} == sent
            check(book, revised)
