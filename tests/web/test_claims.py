"""Claims and revised months as they are read, and their metrics."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.ledger.claiming import Approve, Reject, Submit
from monitor.ledger.claims import STEPS
from monitor.ledger.claims_due import SOON_MS, ClaimsDue, claims_due
from monitor.ledger.excluding import Exclude
from monitor.ledger.request import checked
from monitor.sla.months import Month
from monitor.store.database import open_for_reading
from monitor.web.claim_metrics import claim_exposition
from monitor.web.exposition import SLICE
from tests.web.house import SERVICES, TRUNK, House, at
from tests.web.test_api import ask, get
from tests.web.test_pages import read, text_of

OCTOBER = Month.parse("2026-10")


def amended(house: House) -> list[dict[str, Any]]:
    """The claim of October was sent, and then half of its downtime excluded. What was sent, and the amendment."""
    (draft,) = get(house, "/api/v1/claims")["entitlements"]
    for step in (Approve, Submit):
        house.ask(checked(step, {"uids": [draft["uid"]], "author": "anna", "reference": "F-118"}))
    window = {"from_ms": at("2026-10-10T10:00"), "to_ms": at("2026-10-10T11:00")}
    excluded = {"scope": "service", "subject": TRUNK, "exclusion_class": "maintenance", "reason": "new SBC"}
    house.ask(checked(Exclude, {**window, **excluded, "author": "noc"}))
    return list(get(house, "/api/v1/claims")["entitlements"])


def test_claims_are_found_by_state_customer_month_and_service(house: House) -> None:
    sent, amendment = amended(house)
    for query, found in (
        ("state=draft", [amendment]),
        ("state=submitted&customer=ACME S.A.", [sent]),
        ("state=paid", []),
        ("month=2026-09", []),
        (f"service={TRUNK}", [sent, amendment]),
    ):
        assert get(house, f"/api/v1/claims?{query}")["entitlements"] == found, query
    text = text_of(read(house, "/claims?state=draft"))
    assert "30.00 EUR -30.00 EUR draft" in text
    assert "submitted" not in text.partition("Step by step")[2]
    assert "No claim fits" in read(house, "/claims?state=paid")


@pytest.mark.parametrize(
    ("query", "status"), [("state=sideways", 400), ("customer=nobody", 404), ("service=nobody", 404)]
)
def test_a_filter_that_fits_nothing_there_is_is_refused(house: House, query: str, status: int) -> None:
    ((answered, _, _),) = ask(house, f"/api/v1/claims?{query}")
    assert answered == status
    read(house, f"/claims?{query}", status)


def test_a_claim_shows_every_step_with_author_and_time_and_what_it_amends(house: House) -> None:
    sent, amendment = amended(house)
    text = text_of(read(house, f"/claims/{sent['uid']}"))
    assert "60.00 EUR submitted · F-118" in text
    assert "approved 14:02:31 anna F-118" in text
    assert "All claims of the month" in text
    text = text_of(read(house, f"/claims/{amendment['uid']}"))
    assert "It amends the claim that was sent before : -30.00 EUR" in text
    assert "There is no claim" in text_of(read(house, "/claims/nothing", 404))
    assert "There is no claim" in text_of(read(house, f"/claims/{sent['uid'][:8]}", 404))


def test_the_year_stands_on_the_page_in_money(house: House) -> None:
    sent, _ = amended(house)
    house.ask(checked(Reject, {"uids": [sent["uid"]], "author": "anna"}))
    text = text_of(read(house, "/claims"))
    assert "drafted claimed accepted rejected open paid 2026-10 EUR -30.00 60.00 0.00 60.00 0.00 0.00" in text
    assert "drafted claimed" not in text_of(read(house, "/claims?month=2025-10"))


def test_a_revised_month_shows_its_revisions_side_by_side(house: House) -> None:
    assert "revisions" not in text_of(read(house, "/months/2026-10"))
    amended(house)
    text = text_of(read(house, "/months/2026-10"))
    assert "acme-trunk: revisions figure revision 1 14:02:31 revision 2 14:02:31" in text
    assert "down_ms 7200000 3600000" in text
    assert "credit 60.00 EUR 30.00 EUR" in text
    assert re.search(r"revision 2: exclusion \S+ entered by noc: new SBC", text)


def test_what_has_to_be_sent_soon_is_said_on_the_page(house: House) -> None:
    assert "to be sent within" not in read(house, "/claims")
    late, soon, later = house.now_ms, house.now_ms + SOON_MS, house.now_ms + SOON_MS + 1
    deadlines = (("a", OCTOBER, late), ("b", OCTOBER, soon), ("c", OCTOBER, later))
    house.live.claims = ClaimsDue(deadlines=deadlines)
    assert "2 claims to be sent within seven days, 1 of them too late" in text_of(read(house, "/claims"))


def test_metrics_count_claims_and_have_the_deadlines_of_those_not_sent(tmp_path: Any) -> None:
    house = House(
        tmp_path,
        SERVICES.replace("monthly_fee: 100.00", "overrides: {claim_within: 30d}\n    monthly_fee: 100.00"),
    )
    house.bring_in()
    count(house)
    before = at("2026-12-01T00:00") // 1000
    assert (
        f'ringback_claim_deadline_timestamp_seconds{{service="{TRUNK}",month="2026-10"}} {before}\n'
        in scraped(house)
    )
    assert 'ringback_claims{state="draft"} 1\n' in scraped(house)
    assert len(re.findall(r"^ringback_claims\{", scraped(house), re.MULTILINE)) == len(STEPS)
    (draft,) = get(house, "/api/v1/claims")["entitlements"]
    for step in (Approve, Submit):
        count(house)
        assert f'month="2026-10"}} {before}\n' in scraped(house)
        house.ask(checked(step, {"uids": [draft["uid"]], "author": "anna"}))
    count(house)
    assert "timestamp_seconds{" not in "".join(claim_exposition(house.live.claims))
    assert 'ringback_claims{state="submitted"} 1\n' in scraped(house)
    house.close()


def test_thousands_of_drafts_are_scraped_in_bounded_pieces() -> None:
    claims = ClaimsDue(deadlines=tuple((f"s{number}", OCTOBER, number) for number in range(2 * SLICE + 1)))
    pieces = list(claim_exposition(claims))
    assert [piece.count('service="') for piece in pieces] == [0, SLICE, SLICE, 1]
    assert "".join(pieces).count("# TYPE") == 2


def count(house: House) -> None:
    """As the agent does once a minute."""
    db = open_for_reading(house.database)
    house.live.claims = claims_due(db)
    db.close()


def scraped(house: House) -> str:
    return read(house, "/metrics")
