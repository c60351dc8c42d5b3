"""A month explained, as a page and over the API."""

from __future__ import annotations

import asyncio
import json
import re

from click.testing import CliRunner

from monitor.cli import main
from tests.web.house import LINK, PBX, TRUNK, House, at


def pages(house: House, *paths: str, status: int = 200) -> list[str]:
    async def get() -> list[str]:
        async with house.served() as site:
            return [await site.text(path, status) for path in paths]

    return asyncio.run(get())


def test_the_page_goes_from_the_terms_step_by_step_to_the_amount(house: House) -> None:
    (page,) = pages(house, f"/services/{TRUNK}/months/2026-10")
    assert "guarantee 99.90 %" in page
    assert "frozen as revision 1" in page
    assert "60.00 EUR" in page
    for heading in ("Step by step", "Within the error bounds", "Outages", "Under every rule"):
        assert f"<h2>{heading}" in page
    assert page.count("<td>prorata</td>") == 8


def test_the_page_of_the_running_month_says_what_is_left_to_the_breach(house: House) -> None:
    (page,) = pages(house, f"/services/{TRUNK}/months/2026-11")
    assert "left to the breach" in page
    assert "not complete: this is up to 2026-11-20T14:02:31+01:00" in page


def test_a_frozen_month_on_which_the_facts_say_otherwise_shows_both(house: House) -> None:
    def enter(db: object) -> None:
        db.execute(  # type: ignore[attr-defined]
            "INSERT INTO exclusions (uid, scope, subject, class, from_ms, to_ms, reason, author, entered_ms)"
            " VALUES ('u', 'all', '', 'customer', ?, ?, 'r', 'a', ?)",
            (at("2026-10-10T11:00"), at("2026-10-10T12:00"), house.now_ms),
        )

    house.writer.submit(enter).result()
    (page,) = pages(house, f"/services/{TRUNK}/months/2026-10")
    assert "The facts say otherwise by now" in page
    assert "What was frozen, step by step" in page
    assert page.index("60.00 EUR") < page.index("30.00 EUR")


def test_the_pages_of_month_service_and_claim_lead_to_it(house: House) -> None:
    there = f'href="/services/{TRUNK}/months/2026-10"'
    month, service, claims = pages(house, "/months/2026-10", f"/services/{TRUNK}?month=2026-10", "/claims")
    assert there in month
    assert there in service
    claim = re.search(r'href="(/claims/[0-9a-f-]+)"', claims)
    assert claim is not None
    (page,) = pages(house, claim[1])
    assert there in page


def test_what_cannot_be_explained_is_not_there(house: House) -> None:
    pages(house, "/services/nobody/months/2026-10", f"/services/{PBX}/months/2031-01", status=404)
    pages(house, f"/services/{PBX}/months/may", status=400)


def test_a_name_stays_text(house: House) -> None:
    (page,) = pages(house, f"/services/{LINK}/months/2026-11")
    assert "<b>Fibre</b>" not in page
    assert "&lt;b&gt;Fibre&lt;/b&gt;" in page


def test_the_api_answers_what_the_command_prints(house: House) -> None:
    (answer,) = pages(house, f"/api/v1/services/{TRUNK}/months/2026-10")
    command = ["--config", str(house.directory / "ringback.yml"), "explain", TRUNK, "2026-10", "--json"]
    assert json.loads(answer) == json.loads(CliRunner().invoke(main, command).stdout)
