"""What a Prometheus server recorded of a probe, by its HTTP API (``/api/v1/query_range``)."""

from __future__ import annotations

import json
import math
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import aiohttp
from pydantic import BaseModel, FiniteFloat, TypeAdapter
from yarl import URL

from monitor.imports.errors import SourceError
from monitor.imports.seen import Seen

POINTS = 10_000
"""Points in one question at most; Prometheus refuses more than 11,000."""

TIMEOUT_S = 120
_LARGEST = 64 << 20
"""Bytes of an answer at most."""


class _Series(BaseModel):
    """Of a matrix: instants in seconds, and values."""

    metric: dict[str, str]
    values: list[tuple[FiniteFloat, float]] = []


_MATRIX = TypeAdapter(list[_Series])


@dataclass(frozen=True, slots=True)
class Query:
    """An expression whose value is 1 where a service is up and 0 where it is down, in ``[from_ms, to_ms)``.

    It is evaluated every ``step_ms``, and each value holds for so long.
    """

    expression: str
    from_ms: int
    to_ms: int
    step_ms: int

    @property
    def chunks(self) -> int:
        """How many questions it takes."""
        return -(-self._steps // POINTS)

    @property
    def _steps(self) -> int:
        return -(-(self.to_ms - self.from_ms) // self.step_ms)

    def windows(self) -> Iterator[tuple[int, int]]:
        """The first and the last instant of each question."""
        for start in range(0, self._steps, POINTS):
            last = min(start + POINTS, self._steps) - 1
            yield self.from_ms + start * self.step_ms, self.from_ms + last * self.step_ms


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is, without ``/api``; what it asks of its clients."""

    url: str
    token: str | None = None
    """For ``Authorization: Bearer``."""
    context: ssl.SSLContext | None = None
    """None: the system's certificates."""

    @property
    def asked(self) -> URL:
        """Raises SourceError where it is no URL."""
        try:
            url = URL(self.url)
        except ValueError:
            url = URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise SourceError(f"expected an address such as http://prometheus:9090, not {self.url!r}")
        return url / "api/v1/query_range"


async def recorded(server: Server, query: Query, progress: Callable[[int], None]) -> list[Seen]:
    """What the expression says at each step that has a value. ``progress`` is told how many questions are
    answered. Raises SourceError."""
    headers = {} if server.token is None else {"Authorization": f"Bearer {server.token}"}
    seen: list[Seen] = []
    url = server.asked
    async with aiohttp.ClientSession(
        headers=headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=True
    ) as session:
        answers = _answers(session, url, server.context, query)
        answered, known = 0, ""
        async for result in answers:
            answered += 1
            known = _one_series(result, known, query.expression)
            for series in result:
                seen += _seen(series, query.step_ms)
            progress(answered)
    if not seen:
        raise SourceError(
            f"{url.origin()}: expected values of {query.expression!r} in that time, and there are none"
        )
    return seen


async def _answers(
    session: aiohttp.ClientSession, url: URL, context: ssl.SSLContext | None, query: Query
) -> AsyncIterator[list[_Series]]:
    for start_ms, end_ms in query.windows():
        form = {
            "query": query.expression,
            "start": _seconds(start_ms),
            "end": _seconds(end_ms),
            "step": _seconds(query.step_ms),
        }
        try:
            async with session.post(url, data=form, ssl=context or True, allow_redirects=False) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > _LARGEST:
                        raise SourceError(
                            f"{url.origin()}: expected an answer of at most {_LARGEST >> 20} MiB"
                        )
        except TimeoutError:
            raise SourceError(f"{url.origin()}: expected an answer within {TIMEOUT_S} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SourceError(f"{url.origin()}: {error}") from None
        yield _result(url, answer.status, bytes(body))


def _result(url: URL, status: int, body: bytes) -> list[_Series]:
    try:
        found = json.loads(body)
        if found["status"] == "success" and found["data"]["resultType"] == "matrix":
            return _MATRIX.validate_python(found["data"]["result"])
        told = str(found["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        told = f"expected an answer of Prometheus' API, not status {status} with {body[:80]!r}"
    raise SourceError(f"{url.origin()}: {told}")


def _one_series(result: list[_Series], known: str, expression: str) -> str:
    """Which one it is. Raises SourceError where there are several: which of them is the service?"""
    names = {json.dumps(series.metric, sort_keys=True) for series in result} | ({known} - {""})
    if len(names) > 1:
        some = ", ".join(sorted(names)[:3])
        raise SourceError(
            f"expected one series, not {len(names)} of {expression!r}: {some}; name it by its labels"
        )
    return names.pop() if names else ""


def _seen(series: _Series, step_ms: int) -> Iterator[Seen]:
    for at, value in series.values:
        state = _state(value, at)
        if state is not None:
            yield Seen(round(at * 1000), state, step_ms)


def _state(value: float, at: float) -> str | None:
    if math.isnan(value):
        return None
    if value not in (0, 1):
        raise SourceError(
            f"expected values 0 (down) and 1 (up), not {value:g} at {at}; compare it, such as: metric >= bool 0.5"
        )
    return "up" if value else "down"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"
