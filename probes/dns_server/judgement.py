"""Is the answer what was promised? Pure functions on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import dns.rdata
from dns.rdtypes.ANY.SOA import SOA

from probes.dns_server.answer import Answer, Record, Unreadable, parse_answer
from probes.dns_server.options import DnsOptions, Rules, expected_rdata
from probes.outcome import Verdict
from probes.regex import compiled

_SHOWN = 200
_RECORDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    reason: str
    detail: Mapping[str, object] = field(default_factory=dict)


def judged(data: bytes, options: DnsOptions) -> Judgement:
    """Good, with the response code as its reason; or the first thing that is wrong. The detail tells the answer."""
    try:
        answer = parse_answer(data)
    except Unreadable as error:
        return Judgement(Verdict.BAD, "unreadable answer", {"error": str(error)[:_SHOWN]})
    reason, condition = next(_faults(answer, options), ("", ""))
    verdict = Verdict.BAD if reason else Verdict.GOOD
    detail = _told(answer) | ({"condition": condition[:_SHOWN]} if condition else {})
    return Judgement(verdict, reason or _by_code(answer), detail)


def _told(answer: Answer) -> dict[str, object]:
    """What to note of an answer."""
    records = [f"{record.kind} {record.text}"[:_SHOWN] for record in answer.answer[:_RECORDS_SHOWN]]
    detail: dict[str, object] = {"rcode": answer.rcode, "flags": " ".join(answer.flags), "answers": records}
    detail |= zip(("answer_rrs", "authority_rrs", "additional_rrs"), answer.counts, strict=True)
    serials = (record.rdata.serial for record in answer.answer if isinstance(record.rdata, SOA))
    if (serial := next(serials, None)) is not None:
        detail["serial"] = serial
    if answer.extended_error:
        detail["extended_error"] = answer.extended_error[:_SHOWN]
    return detail


def _by_code(answer: Answer) -> str:
    """``refused`` alone is a port on which nobody listens."""
    return "query refused" if answer.rcode == "REFUSED" else answer.rcode.lower()


def _faults(answer: Answer, options: DnsOptions) -> Iterator[tuple[str, str]]:
    """What is wrong, and the condition that is not met, if it has one."""
    if answer.rcode not in options.rcodes:
        yield _by_code(answer), ""
    if options.dnssec and not answer.validated:
        yield "not validated", ""
    if options.expect:
        there = {record.rdata for record in answer.answer}
        for text in options.expect:
            if _expected(options.query_class, options.record, text) not in there:
                yield "record missing", text
    yield from _broken("answer", options.answer, answer.answer)
    yield from _broken("authority", options.authority, answer.authority)
    yield from _broken("additional", options.additional, answer.additional)


@lru_cache(maxsize=4_096)
def _expected(query_class: str, record: str, text: str) -> dns.rdata.Rdata:
    return expected_rdata(query_class, record, text)


def _broken(section: str, rules: Rules, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """The rules that the records of a section break."""
    if rules == Rules():
        return
    lines = [record.line.encode() for record in records]
    for pattern in rules.fail_if_matches_regexp:
        if any(_found(pattern, lines)):
            yield f"{section} rejected", pattern
    for pattern in rules.fail_if_all_match_regexp:
        if not all(_found(pattern, lines)):
            yield f"{section} does not match", pattern
    for pattern in rules.fail_if_not_matches_regexp:
        if not lines or not all(_found(pattern, lines)):
            yield f"{section} does not match", pattern
    patterns = rules.fail_if_none_matches_regexp
    if patterns and not any(any(_found(pattern, lines)) for pattern in patterns):
        yield f"{section} does not match", ", ".join(patterns)


def _found(pattern: str, lines: Sequence[bytes]) -> Iterator[bool]:
    """Whether each line matches."""
    search = compiled(pattern).search
    return (search(line) is not None for line in lines)
