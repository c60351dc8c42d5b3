"""``ringback explain``."""

from __future__ import annotations

import pytest

from tests.cli.sites import Site
from tests.ledger.books import line


@pytest.fixture
def october(site: Site) -> Site:
    assert site.run("import", "history", site.history()).exit_code == 0
    return site


def test_the_explanation_has_the_figures_of_the_report(october: Site) -> None:
    explained = october.json("explain", "acme-trunk", "2026-10")
    (reported,) = october.json("report", "2026-10")["services"]
    assert explained["figures"] == reported
    assert explained["steps"][-1]["result"] == "60.00 EUR"


def test_people_read_terms_outages_steps_bounds_and_rules(october: Site) -> None:
    shown = october.run("explain", "acme-trunk", "2026-10").stdout
    assert "guarantee 99.90 %, credit 30 % of the monthly fee of 100.00 EUR for each hour" in shown
    for heading in ("Outages", "Step by step", "Within the error bounds", "Under every rule"):
        assert f"\n{heading}" in shown
    rules = shown.partition("Under every rule")[2].splitlines()
    assert rules[2].split()[:4] == ["up", "available", "available", "prorata"]
    assert len([one for one in rules if "available" in one or "removed" in one]) == 24


def test_a_frozen_month_says_which_revision_it_is(october: Site) -> None:
    assert october.run("month", "freeze", "2026-10").exit_code == 0
    assert "frozen as revision 1" in october.run("explain", "acme-trunk", "2026-10").stdout


def test_a_month_in_which_nothing_is_owed_says_why(site: Site) -> None:
    site.run("import", "history", site.history([line("up", "2026-10-01", "2026-11-01")]))
    shown = site.run("explain", "acme-trunk", "2026-10").stdout
    assert "the guarantee was met" in shown
    assert "Outages" not in shown


def test_a_month_to_come_and_a_service_that_is_not_there_are_refused(october: Site) -> None:
    to_come = october.run("explain", "acme-trunk", "2999-10")
    assert (to_come.exit_code, to_come.stdout) == (1, "")
    assert "has not begun" in to_come.stderr
    nobody = october.run("explain", "acme-trunc", "2026-10")
    assert nobody.exit_code == 1
    assert "did you mean 'acme-trunk'?" in nobody.stderr
