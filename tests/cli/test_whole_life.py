"""A month from its import to a claim that is paid, by commands alone; every figure is counted again by brute force."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.sla.months import parse_instant
from tests.cli.sites import Site
from tests.ledger.books import line
from tests.sla import brute_force
from tests.sla.brute_force import Span

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
FEE, RATE, CAP, GUARANTEE = (Decimal(text) for text in ("250.00", "0.05", "0.60", "0.9990"))

HISTORY = [
    ("up", "2026-10-01", "2026-10-05T10:00"),
    ("down", "2026-10-05T10:00", "2026-10-05T11:30"),
    ("up", "2026-10-05T11:30", "2026-10-12T08:00"),
    ("degraded", "2026-10-12T08:00", "2026-10-12T08:50"),
    ("up", "2026-10-12T08:50", "2026-10-15"),
    # nobody saw the first three hours of the 15th
    ("up", "2026-10-15T03:00", "2026-10-25T01:30"),
    ("down", "2026-10-25T01:30", "2026-10-25T04:30"),  # four hours: the clocks go back
    ("up", "2026-10-25T04:30", "2026-10-31T22:17"),
    ("down", "2026-10-31T22:17", "2026-11-01T02:00"),  # over the month's end
    ("up", "2026-11-01T02:00", "2026-11-10"),
]
WORKS = ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")
"""An hour by the clock of the world, none by that on the wall."""
THIRD_PARTY = ("2026-10-05T10:40", "2026-10-05T11:40")
REPORTED = ("2026-10-05T09:30", "2026-10-05T10:00")
"""The provider's own report says that it began earlier."""

RULES = {
    "default": {
        "degraded": "up",
        "excluded_time": "available",
        "unknown_time": "available",
        "hours": "prorata",
    },
    "strict": {"degraded": "down", "excluded_time": "removed", "unknown_time": "removed", "hours": "started"},
}


def at(text: str) -> int:
    return parse_instant(text, LUXEMBOURG)


def configured(site: Site, rules: dict[str, str]) -> None:
    hours, others = rules["hours"], {key: rule for key, rule in rules.items() if key != "hours"}
    own = "".join(f", {key}: {rule}" for key, rule in others.items())
    (site.path / "other.yml").write_text(
        "provider: other\nname: Other\nplans:\n"
        f"  gold: {{name: Gold, guarantee: 99.90 %, credit: {{rate_per_hour: 5 %, cap: 60 %, hours: {hours}}}{own},"
        " claim_within: 60d}\n"
    )
    site.config.write_text(
        f"agent: {{name: lux, state_dir: '{site.path}'}}\nplans: [other.yml]\nservices:\n"
        "  - id: acme-trunk\n    customer: ACME S.A.\n    plan: other/gold\n    monthly_fee: 250.00 EUR\n"
        "    timezone: Europe/Luxembourg\n    contract_from: 2026-01-01\n"
    )


class Expected:
    """What the brute force makes of what is known."""

    def __init__(self, rules: dict[str, str]) -> None:
        self.rules = rules
        self.history = [(state, at(start), at(end)) for state, start, end in HISTORY]
        self.history.append(("unknown", at("2026-10-15"), at("2026-10-15T03:00")))
        self.exclusions: list[tuple[int, int]] = []

    def correct(self, start: int, end: int) -> None:
        """Down, whatever was seen."""
        kept = []
        for state, first, last in self.history:
            kept += [(state, first, min(last, start)), (state, max(first, end), last)]
        self.history = [one for one in kept if one[1] < one[2]] + [("down", start, end)]

    def check(self, figures: dict[str, Any]) -> Decimal:
        """Hold all figures of a month against it; the credit."""
        rules = self.rules
        spans = [
            Span(start, end, state, start if state == "down" else None)
            for state, start, end in self.history
            if state != "up"
        ]
        window = brute_force.month_window(2026, 10, LUXEMBOURG)
        counted = brute_force.count(
            window, spans, self.exclusions, rules["degraded"], rules["excluded_time"], rules["unknown_time"]
        )
        length = window[1] - window[0]
        assert length == 745 * brute_force.HOUR_MS
        assert figures["total_ms"] == counted.total_ms
        assert figures["down_ms"] == counted.down_ms
        assert figures["degraded_ms"] == counted.degraded_ms
        assert figures["excluded_ms"] == counted.excluded_ms
        assert figures["unknown_ms"] == counted.unknown_ms
        assert figures["outages"] == counted.outages
        assert figures["allowed_down_ms"] == brute_force.allowed_ms(counted.total_ms, GUARANTEE)
        assert figures["breach"] is brute_force.is_breach(counted, GUARANTEE) is True
        assert figures["availability"] == truncated(counted.total_ms - counted.down_ms, counted.total_ms)
        assert figures["coverage"] == truncated(length - counted.unknown_ms, length)
        hours = brute_force.hours(counted.down_by_outage, rules["hours"])
        assert abs(Fraction(figures["credit"]["hours"]) - hours) < Fraction(1, 10**6)
        amount = brute_force.credit(FEE, RATE, CAP, hours)
        assert figures["credit"]["amount"] == str(amount)
        return amount


def truncated(part: int, whole: int) -> str:
    return "1" if part == whole else "0." + str(part * 10**8 // whole).zfill(8).rstrip("0")


def frozen(site: Site) -> list[dict[str, Any]]:
    """The revisions of October."""
    (service,) = site.json("month", "show", "2026-10")["services"]
    revisions: list[dict[str, Any]] = service["revisions"]
    return revisions


def reported(site: Site) -> dict[str, Any]:
    (service,) = site.json("report", "2026-10")["services"]
    found: dict[str, Any] = service
    return found


def done(site: Site, *words: str) -> None:
    result = site.run(*words)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", RULES)
def test_a_month_is_carried_from_import_to_a_settled_claim(tmp_path: Path, name: str) -> None:
    site, expected = Site(tmp_path), Expected(RULES[name])
    configured(site, RULES[name])
    done(site, "import", "history", str(site.history([line(*span) for span in HISTORY])))
    expected.check(reported(site))

    exclude = ("exclude", "add", "--service", "acme-trunk", "--reason", "announced")
    done(site, *exclude, "--class", "maintenance", "--from", WORKS[0], "--to", WORKS[1])
    expected.exclusions.append((at(WORKS[0]), at(WORKS[1])))
    first = expected.check(reported(site))

    done(site, "month", "freeze", "2026-10")
    assert expected.check(frozen(site)[0]["figures"]) == first
    (draft,) = site.json("claim", "list", "--month", "2026-10")
    assert (draft["state"], draft["amount"]) == ("draft", str(first))

    late = (*exclude, "--class", "third_party", "--from", THIRD_PARTY[0], "--to", THIRD_PARTY[1])
    assert site.run(*late).exit_code == 1, "money moves: it is shown first"
    assert len(frozen(site)) == 1
    done(site, *late, "--apply")
    expected.exclusions.append((at(THIRD_PARTY[0]), at(THIRD_PARTY[1])))
    second = expected.check(frozen(site)[1]["figures"])
    assert second < first
    states = {one["state"]: one for one in site.json("claim", "list", "--month", "2026-10")}
    assert states["superseded"]["amount"] == str(first)
    assert states["draft"]["amount"] == str(second)
    claimed = states["draft"]["uid"]
    done(site, "claim", "approve", claimed, "--author", "noc")
    done(site, "claim", "submit", claimed, "--reference", "F-118")

    correction = (
        "correct",
        "add",
        "--service",
        "acme-trunk",
        "--class",
        "provider",
        "--reason",
        "their report",
    )
    done(site, *correction, "--from", REPORTED[0], "--to", REPORTED[1], "--apply")
    expected.correct(at(REPORTED[0]), at(REPORTED[1]))
    third = expected.check(frozen(site)[2]["figures"])
    assert expected.check(reported(site)) == third > second
    claims = {one["uid"]: one for one in site.json("claim", "list", "--month", "2026-10")}
    assert (claims[claimed]["state"], claims[claimed]["amount"]) == ("submitted", str(second))
    (amendment,) = (one for one in claims.values() if one["state"] == "draft")
    assert (amendment["amount"], amendment["amends"]) == (str(third), claimed)

    done(site, "claim", "approve", amendment["uid"])
    done(site, "claim", "submit", amendment["uid"], "--reference", "F-131")
    done(site, "claim", "settle", amendment["uid"], "--amount", "20.00", "--note", "agreed by telephone")
    done(site, "claim", "settle", amendment["uid"], "--paid", "20.00", "--reference", "CN-7")
    settled = site.json("claim", "show", amendment["uid"])
    assert (settled["state"], settled["accepted"], settled["paid"]) == ("paid", "20.00", "20.00")
    assert [revision["revision"] for revision in frozen(site)] == [1, 2, 3]
    (total,) = site.json("claim", "year", "2026")["totals"]
    assert (total["currency"], total["accepted"], total["paid"]) == ("EUR", "20.00", "20.00")

    done(site, "month", "reopen", "2026-10", "--service", "acme-trunk", "--reason", "nothing new")
    assert len(frozen(site)) == 3, "the facts say the same again"
    verified = site.json("verify")
    assert (verified["fits"], verified["misfits"], verified["unsealed_records"]) == (True, [], 0)
    assert (verified["derived"]["months"], verified["derived"]["amounts"]) == (3, 3)
