"""The calculation of a credit in a language, step by step, from the frozen figures and terms."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from monitor.claims.clock_calculation import clock_calculation
from monitor.claims.language import Language
from monitor.claims.pack import Claim, Credit, Figures
from monitor.sla.figures import percentage, plain_ratio

Row = tuple[str, str, str]

_HOUR_MS = 3_600_000
_MILLISECOND = timedelta(milliseconds=1)


def calculation(claim: Claim, language: Language) -> list[Row]:
    """What, how, result."""
    figures = claim["figures"]
    if figures is None:
        return clock_calculation(claim, language)
    measured = _availability(figures, language)
    credit = figures["credit"]
    if credit is None:
        reason = language.recorded(claim["calculation"][-1]["how"])
        return [
            *measured,
            (language.word("amount"), reason, language.money(claim["amount"], claim["currency"])),
        ]
    return [*measured, _hours(claim, figures, credit, language), *_amount(claim, figures, credit, language)]


def measured_percentage(figures: Figures, language: Language) -> str:
    """With as many digits as show the breach, from the exact figures."""
    total_ms = figures["total_ms"]
    if figures["availability"] is None or figures["unknown_ms"] >= total_ms:
        return language.word("not measured")
    guarantee = None if figures["guarantee"] is None else Decimal(figures["guarantee"])
    return language.percent(percentage(Fraction(total_ms - figures["down_ms"], total_ms), guarantee))


def _availability(figures: Figures, language: Language) -> list[Row]:
    total, down = language.milliseconds(figures["total_ms"]), language.milliseconds(figures["down_ms"])
    word = language.word
    return [
        (word("T"), _within(figures, language), total),
        (word("D"), word("D how"), down),
        (word("A"), f"({total} − {down}) / {total}", measured_percentage(figures, language)),
        (word("G"), word("G how"), ratio(figures["guarantee"], language)),
        (word("B"), word("B how"), word("yes" if figures["breach"] else "no")),
    ]


def _within(figures: Figures, language: Language) -> str:
    """What T is of, with the time that the plan takes out of it."""
    start, end = (datetime.fromisoformat(figures[edge]) for edge in ("from", "to"))
    length_ms = (end - start) // _MILLISECOND
    removed_ms = length_ms - figures["total_ms"]
    if removed_ms <= 0:
        return language.word("T how")
    length, removed = language.milliseconds(length_ms), language.milliseconds(removed_ms)
    return language.word("T removed", length=length, removed=removed)


def _hours(claim: Claim, figures: Figures, credit: Credit, language: Language) -> Row:
    rule = claim["terms"]["hours"]
    if rule in ("started", "whole"):
        recorded = next((one["how"] for one in claim["calculation"] if one["what"] == "hours H"), "")
        how = language.word(f"H {rule}", hours=recorded.rpartition(": ")[2])
    else:
        how = f"{language.milliseconds(figures['down_ms'])} / {language.milliseconds(_HOUR_MS)}"
    cut = "" if _hours_are_exact(claim, figures, credit) else "…"
    return language.word("H"), how, language.number(credit["hours"]) + cut


def _hours_are_exact(claim: Claim, figures: Figures, credit: Credit) -> bool:
    """Whether H is told with all its digits: whole hours are, and shares as far as eight places tell them."""
    if claim["terms"]["hours"] in ("started", "whole"):
        return True
    return Fraction(credit["hours"]) * _HOUR_MS == figures["down_ms"]


def _factor(claim: Claim, figures: Figures, credit: Credit, language: Language) -> str:
    """H as it is multiplied: what was cut off of it would be missed in a large amount."""
    if _hours_are_exact(claim, figures, credit):
        return language.number(credit["hours"])
    return f"{language.number(figures['down_ms'])} / {language.number(_HOUR_MS)}"


def _amount(claim: Claim, figures: Figures, credit: Credit, language: Language) -> list[Row]:
    word = language.word
    fee = language.money(credit["fee"], credit["currency"])
    rate = ratio(credit["rate_per_hour"], language)
    uncapped = language.money(credit["uncapped"], credit["currency"])
    rows = [(word("credit"), f"{fee} × {rate} × {_factor(claim, figures, credit, language)}", uncapped)]
    amount = language.money(credit["amount"], credit["currency"])
    if credit["cap"] is None:
        return [*rows, (word("amount"), word("not capped"), amount)]
    cap = language.money(credit["cap"], credit["currency"])
    return [
        *rows,
        (word("cap"), f"{fee} × {ratio(claim['terms']['cap'], language)}", cap),
        (word("amount"), word("lesser"), amount),
    ]


def ratio(value: str | None, language: Language) -> str:
    """A ratio of the terms as a percentage, digits as written."""
    return language.word("none") if value is None else language.percent(plain_ratio(Decimal(value)))
