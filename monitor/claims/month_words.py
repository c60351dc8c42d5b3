"""A service's month in words and as a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo

from monitor.claims.calculation import measured_percentage, ratio
from monitor.claims.document import Drawing, Facts
from monitor.claims.drawing import Seen, draw
from monitor.claims.language import Language
from monitor.claims.pack import Figures, Outage
from monitor.sla.figures import percentage
from monitor.sla.intervals import union
from monitor.sla.months import Month, parse_instant


def verdict(figures: Figures, language: Language) -> str:
    """What became of the guarantee, in a sentence."""
    key = "breach" if figures["breach"] else "no guarantee" if figures["guarantee"] is None else "met"
    return language.word(
        key,
        availability=measured_percentage(figures, language),
        guarantee=ratio(figures["guarantee"], language),
    )


def figure_facts(figures: Figures, language: Language) -> Facts:
    """The figures of a month; those that are nothing are left out."""
    word = language.word
    stretch = word("from to", start=language.instant(figures["from"]), end=language.instant(figures["to"]))
    allowed = figures["allowed_down_ms"]
    return given(
        (word("measured"), stretch),
        (word("guarantee"), ratio(figures["guarantee"], language)),
        (word("availability"), measured_percentage(figures, language)),
        (word("downtime"), language.duration(figures["down_ms"])),
        (word("allowed"), "" if allowed is None else language.duration(allowed)),
        (word("excluded"), _unless_nothing(figures["excluded_ms"], language)),
        (word("degraded"), _unless_nothing(figures["degraded_ms"], language)),
        (word("unknown"), _unless_nothing(figures["unknown_ms"], language)),
        (word("coverage"), coverage(figures, language)),
        (word("outages"), language.number(figures["outages"])),
    )


def coverage(figures: Figures, language: Language) -> str:
    """The share of the time in which the state was known, from its eight places."""
    return language.percent(percentage(Fraction(figures["coverage"])))


def _unless_nothing(milliseconds: int, language: Language) -> str:
    return language.duration(milliseconds) if milliseconds else ""


def with_id(name: str, of: str) -> str:
    """A name with the id behind it, where that is another."""
    return f"{name} ({of})" if name and name != of else of


def given(*facts: tuple[str, str]) -> Facts:
    """Those that say something."""
    return [one for one in facts if one[1]]


def month_drawing(
    figures: Figures,
    outages: Sequence[Outage],
    excluded: Sequence[tuple[str, str]],
    month: str,
    timezone: str,
    language: Language,
) -> Drawing:
    """``excluded``: ISO instants. An outage whose end nobody saw is drawn as long as it was known to be down."""
    zone = ZoneInfo(timezone)
    seen = Seen(
        (parse_instant(figures["from"], zone), parse_instant(figures["to"], zone)),
        union(_stretch(one, zone) for one in outages),
        union((parse_instant(start, zone), parse_instant(end, zone)) for start, end in excluded),
    )
    return Drawing(
        language.word("drawing"),
        draw(seen, Month.parse(month), zone, language),
        language.word("drawn about", outages=len(outages), excluded=len(excluded)),
    )


def _stretch(outage: Outage, zone: ZoneInfo) -> tuple[int, int]:
    start_ms = parse_instant(outage["first_bad"], zone)
    end = outage["first_good"]
    return start_ms, start_ms + outage["down_ms"] if end is None else parse_instant(end, zone)
