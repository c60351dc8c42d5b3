"""Months and claims, as the commands carry them from breach to payment."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.cli.sites import Site
from tests.ledger.books import OUTAGE, SERVICES, line

ACME = (
    SERVICES.replace("    tags:", "    customer: ACME S.A.\n    tags:")
    + "    overrides: {claim_within: 30d}\n"
)
OF_ACME = ("--customer", "ACME S.A.", "--month", "2026-10")


@pytest.fixture
def owing(site: Site) -> Site:
    """A site with a draft of 60.00 EUR."""
    site.configure(ACME)
    site.run("import", "history", site.history())
    assert site.run("month", "freeze", "2026-10").exit_code == 0
    return site


def uid_of(site: Site) -> str:
    return str(site.json("claim", "list")[-1]["uid"])


def test_a_claim_is_carried_from_draft_to_payment(owing: Site) -> None:
    approved = owing.run("claim", "approve", uid_of(owing)[:8], "--note", "looked at", "--author", "anna")
    assert (approved.exit_code, approved.stdout) == (0, "")
    assert "60.00 EUR): draft -> approved" in approved.stderr
    (told,) = owing.json("claim", "submit", *OF_ACME, "--reference", "F-118")["claims"]
    assert (told["from"], told["to"]) == ("approved", "submitted")
    assert owing.run("claim", "settle", uid_of(owing), "--amount", "50.00", "--author", "ben").exit_code == 0
    assert owing.run("claim", "settle", uid_of(owing), "--paid", "50.00").exit_code == 0
    shown = owing.json("claim", "show", uid_of(owing)[:10])
    assert (shown["state"], shown["accepted"], shown["paid"], shown["reference"]) == (
        "paid",
        "50.00",
        "50.00",
        "F-118",
    )
    assert [(one["state"], one["amount"]) for one in shown["events"]] == [
        ("draft", None),
        ("approved", None),
        ("submitted", None),
        ("partly accepted", "50.00"),
        ("paid", "50.00"),
    ]
    assert datetime.fromisoformat(shown["events"][1]["at"]).tzinfo is not None
    text = owing.run("claim", "show", uid_of(owing)).stdout
    assert "looked at" in text
    assert "the lesser of the two" in text


def test_an_illegal_step_fails_and_says_what_is_possible(owing: Site) -> None:
    refused = owing.run("claim", "submit", uid_of(owing))
    assert refused.exit_code == 1
    assert "can be approved or withdrawn, not submitted" in refused.stderr
    assert owing.run("claim", "approve", "00000000").exit_code == 1
    assert owing.run("claim", "approve").exit_code == 2
    assert owing.run("claim", "approve", uid_of(owing), *OF_ACME).exit_code == 2
    assert owing.run("claim", "approve", "--customer", "ACME S.A.").exit_code == 2


def test_claims_are_listed_by_state_customer_service_and_month(owing: Site) -> None:
    (claim,) = owing.json("claim", "list", *OF_ACME, "--state", "draft", "--service", "acme-trunk")
    assert (claim["deadline"], claim["customer"]) == ("2026-12-01T00:00:00+01:00", "ACME S.A.")
    assert owing.json("claim", "list", "--state", "paid") == []
    assert owing.json("claim", "list", "--month", "2026-09") == []
    assert "2026-12-01" in owing.run("claim", "list").stdout
    assert owing.run("claim", "list", "--customer", "nobody").exit_code == 1
    assert owing.json("credits", "2026-10")["entitlements"] == [claim]


def test_the_year_shows_what_became_of_its_claims_exactly(owing: Site) -> None:
    owing.run("claim", "approve", *OF_ACME)
    owing.run("claim", "submit", *OF_ACME)
    owing.run("claim", "settle", uid_of(owing), "--amount", "45.5", "--paid", "20")
    year = owing.json("claim", "year", "2026", "--customer", "ACME S.A.")
    amounts = {
        "drafted": "0.00",
        "claimed": "60.00",
        "accepted": "45.50",
        "rejected": "14.50",
        "open": "0.00",
        "paid": "20.00",
    }
    assert year == {
        "year": 2026,
        "months": [
            {"month": "2026-10", "customer": "ACME S.A.", "currency": "EUR", **amounts, "to_be_agreed": 0}
        ],
        "totals": [{"currency": "EUR", **amounts}],
    }
    assert "14.50" in owing.run("claim", "year", "2026").stdout
    assert owing.run("claim", "year", "2025").stdout == "2025: no claim\n"


def test_a_correction_after_submission_is_an_amendment_with_its_chain(owing: Site) -> None:
    for step in ("approve", "submit"):
        owing.run("claim", step, *OF_ACME)
    window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00", "--reason", "new SBC")
    owing.run("exclude", "add", "--all", "--class", "maintenance", *window, "--apply", "--author", "noc")
    sent, amendment = owing.json("claim", "list")
    assert (amendment["amends"], amendment["difference"]) == (sent["uid"], "-30.00")
    assert [(one["state"], one["amount"]) for one in owing.json("claim", "show", sent["uid"])["chain"]] == [
        ("submitted", "60.00"),
        ("draft", "30.00"),
    ]
    text = owing.run("claim", "show", amendment["uid"]).stdout
    assert f"amends {sent['uid']}, which claimed 60.00, a difference of -30.00 EUR" in text
    revised = owing.run("month", "show", "2026-10").stdout
    assert "60.00 EUR" in revised
    assert "entered by noc: new SBC" in revised
    (month,) = owing.json("month", "show", "2026-10", "--service", "acme-trunk")["services"]
    assert month["revisions"][1]["difference"]["down_ms"] == [7_200_000, 3_600_000]


def test_freezing_says_what_was_not_frozen_and_why(site: Site) -> None:
    late, gone = "  - {id: acme-late}\n", "  - {id: acme-gone, contract_to: 2026-09-01}\n"
    site.configure(SERVICES + late + gone)
    site.run("import", "history", site.history())
    assert site.json("month", "freeze", "2026-10") == {
        "month": "2026-10",
        "frozen": ["acme-trunk"],
        "not_frozen": [
            {"service": "acme-late", "reason": "never watched in it"},
            {"service": "acme-gone", "reason": "not in contract"},
        ],
    }
    again = site.run("month", "freeze", "2026-10")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "acme-trunk: frozen already, as revision 1" in again.stderr
    assert "not over" in site.run("month", "freeze", "2098-10").stderr


def test_a_month_is_reopened_only_where_a_figure_differs(owing: Site) -> None:
    reopen = ("month", "reopen", "2026-10", "--service", "acme-trunk", "--reason", "look again")
    same = owing.run(*reopen)
    assert (same.exit_code, same.stdout) == (0, "")
    assert "nothing to revise" in same.stderr
    assert owing.run("month", "reopen", "2026-09", *reopen[3:]).exit_code == 1


def test_a_month_without_terms_is_frozen_and_shown_all_the_same(site: Site) -> None:
    site.configure("services:\n  - {id: plain}\n")
    site.run("import", "history", site.history([line(*span, service="plain") for span in OUTAGE]))
    assert site.json("month", "freeze", "2026-10")["frozen"] == ["plain"]
    assert "none" in site.run("month", "show", "2026-10").stdout
    assert site.json("claim", "list") == []
