"""What is asked for, hop by hop: redirects as RFC 9110 §15.4 has them, and what stays behind on the way."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from yarl import URL

from probes.http.options import HttpOptions
from probes.http.url import askable
from probes.secret import Unreadable, read_secret

MOST_REDIRECTS = 10
_SHOWN = 200
_COOKIE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=\"?[!#-+\--:<-\[\]-~]*\"?")  # RFC 6265 §4.1.1
_REDIRECTS = {301, 302, 303, 307, 308}
_REPEATED_AS_IT_WAS = {307, 308}


class BadRedirect(ValueError):
    """One that leads nowhere; ``str()`` is the reason of the outcome, ``to`` where it would have led."""

    def __init__(self, reason: str, to: str) -> None:
        super().__init__(reason)
        self.to = to[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Request:
    """One hop; ``hops`` were made before. ``secrets`` are headers for the target's own server, and ``cookies`` what the
    server set on the way to it."""

    method: str
    url: URL
    headers: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    body: bytes
    server_name: str | None
    hops: int = 0
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> tuple[tuple[str, str], ...]:
        cookies = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        return (*self.headers, *self.secrets, *([("Cookie", cookies)] if cookies else []))


def first_request(url: URL, options: HttpOptions) -> Request:
    """Raises Unreadable for a secret that is not there."""
    headers = options.headers
    if options.compression and not _given(headers, "accept-encoding"):
        headers = (*headers, ("Accept-Encoding", options.compression))
    named = options.server_name or _host(_given(headers, "host"))
    return Request(options.method, url, headers, _secrets(options), options.body.encode(), named)


def redirected(
    request: Request, status: int, location: str | None, cookies: Mapping[str, str]
) -> Request | None:
    """The request that an answer leads to; None where it is an end. ``cookies`` are those that it sets, with their
    values as they came. Raises BadRedirect.
    """
    if status not in _REDIRECTS or location is None:
        return None
    if request.hops >= MOST_REDIRECTS:
        raise BadRedirect("too many redirects", location)
    url = _joined(request.url, location)
    kept = {name: text for name, text in cookies.items() if _COOKIE.fullmatch(f"{name}={text}")}
    again = replace(request, url=url, hops=request.hops + 1, cookies={**request.cookies, **kept})
    if status not in _REPEATED_AS_IT_WAS:
        again = replace(again, body=b"", method="HEAD" if request.method == "HEAD" else "GET")
    if url.host != request.url.host:
        again = replace(again, server_name=None, headers=_without(request.headers, "host"))
    if not _is_trusted_as_much(request.url, url):
        again = replace(again, secrets=(), cookies={})
    return again


def _secrets(options: HttpOptions) -> tuple[tuple[str, str], ...]:
    found = [(name, _secret(file, name)) for name, file in options.header_files]
    if options.bearer_token_file is not None:
        found.append(("Authorization", f"Bearer {_secret(options.bearer_token_file, 'bearer token')}"))
    if (basic := options.basic_auth) is not None:
        account = f"{basic.username}:{read_secret(basic.password_file, 'password')}"
        found.append(("Authorization", f"Basic {base64.b64encode(account.encode()).decode()}"))
    return tuple(found)


def _secret(file: Path, what: str) -> str:
    """One that a header can hold. Raises Unreadable."""
    text = read_secret(file, what)
    if not text.isprintable():
        raise Unreadable(f"{what} file holds what no header can")
    return text


def _joined(base: URL, location: str) -> URL:
    try:
        return askable(base.join(URL(location)).with_user(None))
    except (ValueError, TypeError):
        raise BadRedirect("bad redirect", location) from None


def _is_trusted_as_much(before: URL, after: URL) -> bool:
    """Whether it is the same server, or the same host over TLS."""
    if before.origin() == after.origin():
        return True
    return before.host == after.host and (before.scheme, after.scheme) == ("http", "https")


def _given(headers: tuple[tuple[str, str], ...], wanted: str) -> str | None:
    return next((text for name, text in headers if name.lower() == wanted), None)


def _without(headers: tuple[tuple[str, str], ...], unwanted: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0].lower() != unwanted)


def _host(header: str | None) -> str | None:
    try:
        return URL(f"//{header}").host if header else None
    except ValueError:
        return header
