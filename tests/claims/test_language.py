"""Dates, durations, numbers and amounts as each language writes them."""

from __future__ import annotations

import inspect
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.claims.language import Language
from monitor.claims.recorded import RECORDED, RECORDED_OF
from monitor.claims.words import LANGUAGES, WORDS
from monitor.ledger.claims import STEPS
from monitor.sla import credit
from monitor.store.exclusions import CLASSES
from probes.outcome import Verdict

FR, EN, DE = map(Language, LANGUAGES)
INSTANT = "2026-10-05T08:03:07+02:00"


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("language", "instant", "amount", "share", "spent"),
    [
        (FR, "5 oct. 2026 08:03:07 +02:00", "1 234 567,50 €", "99,90 %", "2 j 03 h 04 min 05,250 s"),
        (EN, "5 Oct 2026 08:03:07 +02:00", "1,234,567.50 €", "99.90%", "2 d 03 h 04 min 05.250 s"),
        (DE, "05.10.2026 08:03:07 +02:00", "1.234.567,50 €", "99,90 %", "2 T 03 h 04 min 05,250 s"),
    ],
)
def test_each_language_writes_in_its_own_way(
    language: Language, instant: str, amount: str, share: str, spent: str
) -> None:
    assert plain(language.instant(INSTANT)) == instant
    assert plain(language.money("1234567.50", "EUR")) == amount
    assert plain(language.percent("99.90 %")) == share
    assert plain(language.duration(((2 * 24 + 3) * 3600 + 4 * 60 + 5) * 1000 + 250)) == spent


def test_months_and_days_have_their_names() -> None:
    assert [one.month("2026-03") for one in (FR, EN, DE)] == ["mars 2026", "March 2026", "März 2026"]
    assert [plain(one.day(INSTANT)) for one in (FR, EN, DE)] == ["5 oct. 2026", "5 Oct 2026", "05.10.2026"]


def test_the_first_of_a_month_is_told_as_french_does() -> None:
    first = "2026-10-01T00:00:00+02:00"
    assert [plain(one.day(first)) for one in (FR, EN, DE)] == ["1er oct. 2026", "1 Oct 2026", "01.10.2026"]
    assert plain(FR.day("2026-10-11T00:00:00+02:00")) == "11 oct. 2026"


def test_french_marks_never_begin_a_line() -> None:
    every = [*WORDS.values(), *RECORDED.values(), *RECORDED_OF]
    assert [french for french, _, _ in every if re.search(r" [:;?!»]|« |[^\s:][;?!]", french)] == []


def test_the_hour_that_a_day_has_twice_is_told_by_its_offset() -> None:
    first, second = "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"
    assert FR.instant(first) != FR.instant(second)


def test_amounts_keep_their_digits_and_differences_their_sign() -> None:
    assert plain(FR.money("0.30", "EUR")) == "0,30 €"
    assert plain(EN.money("1.2345", "EUR")) == "1.2345 €"
    assert plain(DE.money("500", "JPY")) == "500 ¥"
    assert plain(FR.difference("5.00", "EUR")) == "+5,00 €"
    assert plain(FR.difference("-5.00", "EUR")) == "-5,00 €"
    assert FR.money(None, "EUR") == "à convenir"


@given(st.sampled_from((FR, EN, DE)), st.decimals(0, 10**12, places=8))
def test_a_number_has_exactly_the_digits_that_it_was_given(language: Language, value: object) -> None:
    text = f"{value:f}"
    assert "".join(one for one in language.number(text) if one.isdigit()) == text.replace(".", "")


@given(st.sampled_from((FR, EN, DE)), st.integers(0, 10**11))
def test_a_duration_is_exact(language: Language, milliseconds: int) -> None:
    units = {language.word("day"): 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000}
    total = 0
    words = plain(language.duration(milliseconds)).split()
    for digits, unit in zip(words[::2], words[1::2], strict=True):
        whole, _, rest = digits.replace(",", ".").partition(".")
        total += int(whole) * units[unit] + int(rest or 0)
    assert total == milliseconds


def test_what_ringback_recorded_is_told_in_the_language_and_what_people_wrote_as_it_stands() -> None:
    reason = "exclusion 00e7 entered by {noc}: new SBC: the second"
    assert plain(FR.recorded(reason)) == "exclusion 00e7 saisie par {noc} : new SBC: the second"
    assert EN.recorded(reason) == reason
    assert DE.recorded(reason) == "Ausnahme 00e7 erfasst von {noc}: new SBC: the second"
    assert DE.recorded("12 exclusions entered by a: b\nc") == "12 Ausnahmen erfasst von a: b\nc"
    assert DE.recorded("entered by a") == "entered by a"


@pytest.mark.parametrize("texts", RECORDED_OF)
def test_each_recorded_reason_is_told_back_by_its_own_words(texts: tuple[str, str, str]) -> None:
    fields = {name for _, name, _, _ in string.Formatter().parse(texts[1]) if name}
    values = {name: f"<{name}>" for name in fields}
    assert [one.recorded(texts[1].format(**values)) for one in (FR, EN, DE)] == [
        one.format(**values) for one in texts
    ]


def test_every_sentence_takes_the_same_values_in_each_language() -> None:
    for key, texts in WORDS.items():
        assert len(texts) == len(LANGUAGES)
        assert all(texts), key
        assert (
            len(
                {frozenset(name for _, name, _, _ in string.Formatter().parse(one)) - {None} for one in texts}
            )
            == 1
        ), key


def test_what_was_recorded_stands_as_it_was_written_unless_ringback_wrote_it() -> None:
    for text in ("503 {Service} Unavailable", "page", "down", "{0}", ""):
        assert FR.recorded(text) == text
    assert FR.recorded("the month is over") == "le mois est terminé"


def test_why_nothing_is_owed_is_told_in_every_language() -> None:
    reasons = re.findall(r'"([^"]+)"$', inspect.getsource(credit.why_none), re.MULTILINE)
    assert len(reasons) == 6
    assert set(reasons) <= set(RECORDED)


def test_every_state_class_and_verdict_has_its_words() -> None:
    assert {*STEPS, *(set(CLASSES) - {"customer"}), "customer class", "mrt", "tti", "ttr"} <= set(WORDS)
    assert {one.word for one in Verdict} <= set(RECORDED)
