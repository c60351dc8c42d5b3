"""The calculation of a breached clock in a language, from the steps that were recorded when it was drafted."""

from __future__ import annotations

import re
from datetime import datetime

from monitor.claims.language import Language
from monitor.claims.pack import Claim, Step

_DURATION = re.compile(
    r"(?:(?P<days>\d+) d )?(?:(?P<hours>\d+) h )?(?:(?P<minutes>\d+) min )?(?P<seconds>\d+)(?:\.(?P<rest>\d{3}))? s"
    r"|(?P<ms>\d+) ms"
)
_USED = re.compile(r"(?P<how>until|running on at) (?P<at>\S+)")


def clock_calculation(claim: Claim, language: Language) -> list[tuple[str, str, str]]:
    """What, how, result; a step that is not known stands as it was recorded."""
    return [_told(one, claim, language) for one in claim["calculation"]]


def _told(step: Step, claim: Claim, language: Language) -> tuple[str, str, str]:
    word, what, how = language.word, step["what"], step["how"]
    result = _value(step["result"], language)
    if what == "reported":
        return word("reported"), word("incident") if how == "incident" else how, result
    if what == "agreed" and claim["clock"] is not None:
        return word("agreed"), word("agreed how", clock=word(claim["clock"]), plan=_plan(claim)), result
    if what == "due":
        return word("due"), word("due how"), result
    if what == "handling time used":
        return word("handling time used"), _until(how, language), result
    if what == "amount":
        return word("amount"), word("no rate"), word("agreed later")
    return what, how, result


def _plan(claim: Claim) -> str:
    return claim["terms"]["plan_name"] or claim["terms"]["plan"] or ""


def _until(how: str, language: Language) -> str:
    found = _USED.fullmatch(how)
    if found is None:
        return how
    key = "until" if found["how"] == "until" else "running on"
    return language.word(key, at=language.instant(found["at"]))


def _value(text: str, language: Language) -> str:
    """An instant or a duration as the language writes it."""
    found = _DURATION.fullmatch(text)
    if found is not None:
        return language.duration(_milliseconds(found))
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return text
    return language.instant(text)


def _milliseconds(found: re.Match[str]) -> int:
    part = {name: int(digits or 0) for name, digits in found.groupdict().items()}
    minutes = (part["days"] * 24 + part["hours"]) * 60 + part["minutes"]
    return (minutes * 60 + part["seconds"]) * 1000 + part["rest"] + part["ms"]
