"""Is the answer what was promised? Pure functions on its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from multidict import MultiMapping

from probes.http.body import Body
from probes.http.jsonpath import NotJson, unmet
from probes.http.options import HeaderCondition, HttpOptions
from probes.outcome import Verdict
from probes.regex import matches, readable

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer: status, HTTP version ("1.1"), whether it came over TLS, headers and body."""

    status: int
    version: str
    tls: bool
    headers: MultiMapping[str]
    body: Body


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    reason: str
    detail: Mapping[str, object] = field(default_factory=dict)


def judged(answer: Answer, options: HttpOptions) -> Judgement:
    """Good, with the status as its reason; or the first thing that is wrong."""
    return next(_faults(answer, options), None) or Judgement(Verdict.GOOD, str(answer.status))


def _faults(answer: Answer, options: HttpOptions) -> Iterator[Judgement]:
    if answer.status not in options.status:
        yield _bad(str(answer.status))
    if options.http_versions and answer.version not in options.http_versions:
        yield _bad(f"HTTP/{answer.version}")
    if options.require_tls and not answer.tls:
        yield _bad("not over TLS")
    if options.refuse_tls and answer.tls:
        yield _bad("over TLS")
    yield from _header_faults(answer.headers, options)
    if answer.body.broken is not None:
        yield _bad(f"not {options.compression}", error=answer.body.broken)
    if options.body_limit is not None and answer.body.size > options.body_limit:
        yield _bad("body too large")
    yield from _body_faults(answer.body.data, options)
    if options.json_matches:
        yield from _json_faults(answer.body, options)


def _header_faults(headers: MultiMapping[str], options: HttpOptions) -> Iterator[Judgement]:
    for condition in options.header_rejects:
        values = headers.getall(condition.header, [])
        if not (values or condition.allow_missing):
            yield _unmatched("header missing", condition)
        if any(_fits(condition, value) for value in values):
            yield _unmatched("header rejected", condition)
    for condition in options.header_matches:
        values = headers.getall(condition.header, [])
        if not (values or condition.allow_missing):
            yield _unmatched("header missing", condition)
        if values and not any(_fits(condition, value) for value in values):
            yield _unmatched("header does not match", condition)


def _fits(condition: HeaderCondition, value: str) -> bool:
    return matches(condition.regexp, readable(value.encode(errors="surrogateescape")))


def _body_faults(body: bytes, options: HttpOptions) -> Iterator[Judgement]:
    data = readable(body)
    for pattern in options.body_rejects:
        if matches(pattern, data):
            yield _bad("body rejected", condition=pattern[:_SHOWN], regex_failed=True)
    for pattern in options.body_matches:
        if not matches(pattern, data):
            yield _bad("body does not match", condition=pattern[:_SHOWN], regex_failed=True)


def _json_faults(body: Body, options: HttpOptions) -> Iterator[Judgement]:
    if not body.whole:
        yield Judgement(Verdict.NOT_ASKED, "max_body is too little for this JSON")
    try:
        found = unmet(options.json_matches, body.data)
    except NotJson as error:
        yield _bad("not JSON", error=str(error)[:_SHOWN])
    else:
        if found is not None:
            condition, value = found
            yield _bad("JSON does not match", condition=condition.path[:_SHOWN], found=value)


def _unmatched(reason: str, condition: HeaderCondition) -> Judgement:
    text = f"{condition.header}: {condition.regexp}"
    return _bad(reason, condition=text[:_SHOWN], regex_failed=True)


def _bad(reason: str, **detail: object) -> Judgement:
    return Judgement(Verdict.BAD, reason, detail)
