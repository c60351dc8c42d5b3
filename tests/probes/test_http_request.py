"""What an HTTP probe asks for: method, body, credentials, and what of them goes along with a redirect."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from probes.http import HttpOptions, HttpProber
from probes.http.request import BadRedirect, Request, first_request, redirected
from probes.outcome import Outcome, Verdict
from probes.secret import Unreadable
from probes.trace import traced
from tests.probes.certificates import Authority
from tests.probes.daemons import free_port
from tests.probes.nginx import files, nginx
from tests.probes.servers import stream_server

SECRET = "Qz7-very-secret"

_SERVERS = """
  server {{
    listen 127.0.0.1:{plain};
    listen [::1]:{plain};
    location = /seen {{ return 200 "$request_method|$http_authorization|$http_x_key|$http_host|$http_cookie"; }}
    location = /to-self {{ return 302 /seen; }}
    location = /to-other {{ return 302 http://localhost:{other}/seen; }}
    location = /to-tls {{ return 302 https://127.0.0.1:{secured}/seen; }}
    location = /login {{ add_header Set-Cookie "session=1; Path=/" always; return 302 /seen; }}
    location = /307 {{ return 307 /length; }}
    location = /302 {{ return 302 /length; }}
    location = /length {{ return 200 "$request_method|$content_length"; }}
  }}
  server {{
    listen 127.0.0.1:{other};
    location = /seen {{ return 200 "$request_method|$http_authorization|$http_x_key|$http_host|$http_cookie"; }}
  }}
  server {{
    listen 127.0.0.1:{secured} ssl; {certificate}
    location = /seen {{ return 200 "$ssl_server_name|$http_authorization|$http_x_key|$http_host"; }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    plain: int
    other: int
    secured: int
    ca_file: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    authority = Authority(folder)
    ports = {name: free_port() for name in ("plain", "other", "secured")}
    certificate = files(authority.certificate("localhost", timedelta(days=7)))
    with nginx(folder, _SERVERS.format(**ports, certificate=certificate), ports["secured"]):
        yield Nginx(**ports, ca_file=authority.ca_file)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def probe(url: str, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = HttpProber()
        told = HttpOptions.model_validate({"family": "ipv4", "timeout": "2s", **options})
        outcome = await prober.probe(HttpProber.parse(url), told)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def holds(url: str, pattern: str, **options: object) -> bool:
    """Whether the answer of the server, which says what it saw, matches."""
    outcome = probe(url, body_matches=[pattern], **options)
    assert outcome.detail["status"] == 200, outcome
    return outcome.verdict is Verdict.GOOD


def test_any_method_can_be_asked_with(server: Nginx) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        assert holds(f"http://127.0.0.1:{server.plain}/seen", f"^{method}[|]", method=method)


def test_a_body_goes_with_the_request(server: Nginx) -> None:
    url = f"http://127.0.0.1:{server.plain}/length"
    assert holds(url, "^POST[|]5$", method="POST", body="salut")
    assert holds(url, "^GET[|]$")


def test_credentials_come_from_files(server: Nginx, secret: Path) -> None:
    url = f"http://127.0.0.1:{server.plain}/seen"
    basic = base64.b64encode(f"noc:{SECRET}".encode()).decode()
    account = {"username": "noc", "password_file": secret}
    assert holds(url, f"[|]Basic {basic}[|]", basic_auth=account)
    assert holds(url, f"[|]Bearer {SECRET}[|]", bearer_token_file=secret)
    assert holds(url, f"[|]{SECRET}[|]", header_files={"X-Key": secret})


def test_a_secret_that_is_not_there_is_not_held_against_the_target(server: Nginx, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.plain}/seen"
    outcome = probe(url, bearer_token_file=tmp_path / "none")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "bearer token file not readable")
    account = {"username": "noc", "password_file": tmp_path / "none"}
    assert probe(url, basic_auth=account).reason == "password file not readable"


def test_a_secret_is_in_no_outcome_and_no_log(server: Nginx, secret: Path) -> None:
    with traced() as trace:
        outcome = probe(f"http://127.0.0.1:{server.plain}/to-self", header_files={"X-Key": secret})
    assert outcome.verdict is Verdict.GOOD
    assert SECRET not in repr(outcome)
    assert SECRET not in repr(trace)
    assert [line.what for line in trace.lines] == [
        *("request", "connecting", "answer", "redirect"),
        *("request", "connecting", "answer", "judged"),
    ]


def test_credentials_stay_with_their_server(server: Nginx, secret: Path) -> None:
    told = {"bearer_token_file": secret, "header_files": {"X-Key": secret}}
    kept = f"[|]Bearer {SECRET}[|]{SECRET}[|]"
    assert holds(f"http://127.0.0.1:{server.plain}/to-self", kept, **told)
    assert holds(f"http://127.0.0.1:{server.plain}/to-other", "^GET[|][|][|]localhost", **told)
    secured = probe(f"http://127.0.0.1:{server.plain}/to-tls", verify_tls=False, body_matches=[kept], **told)
    assert secured.verdict is Verdict.GOOD, "the same host, and safer"


def test_cookies_of_the_way_are_shown_to_who_gave_them(server: Nginx) -> None:
    assert holds(f"http://127.0.0.1:{server.plain}/login", "[|]session=1$")


def test_a_redirect_is_followed_with_get_or_with_what_was_asked(server: Nginx) -> None:
    asked = {"method": "POST", "body": "salut"}
    assert holds(f"http://127.0.0.1:{server.plain}/302", "^GET[|]$", **asked)
    assert holds(f"http://127.0.0.1:{server.plain}/307", "^POST[|]5$", **asked)


def test_the_host_header_is_asked_for_and_verified_in_tls(server: Nginx) -> None:
    url = f"https://127.0.0.1:{server.secured}/seen"
    assert holds(url, "^localhost[|][|][|]localhost$", headers={"Host": "localhost"}, ca_file=server.ca_file)
    named = {"headers": {"Host": "elsewhere.test"}, "server_name": "localhost"}
    assert holds(url, "^localhost[|][|][|]elsewhere.test$", **named, ca_file=server.ca_file)
    assert probe(url, headers={"Host": "elsewhere.test"}, ca_file=server.ca_file).reason == (
        "certificate: Hostname mismatch"
    )


def test_the_source_address_can_be_chosen() -> None:
    peers: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def scenario() -> list[Outcome]:
        prober = HttpProber()
        async with stream_server(handler) as port:
            target = HttpProber.parse(f"http://127.0.0.1:{port}/")
            told = [{"source_address": source, "dscp": 46} for source in ("127.0.0.7", "203.0.113.1", "::1")]
            outcomes = [await prober.probe(target, HttpOptions.model_validate(one)) for one in told]
        await prober.close()
        return outcomes

    ours, absent, other_family = asyncio.run(scenario())
    assert ours.verdict is Verdict.GOOD
    assert peers == ["127.0.0.7"]
    assert (absent.verdict, absent.reason) == (Verdict.NOT_ASKED, "cannot assign requested address")
    assert other_family.verdict is Verdict.NOT_ASKED


GET = Request(
    "GET", URL("http://a.test/x?y"), (("Host", "b.test"), ("X", "1")), (("Key", "s"),), b"", "b.test"
)
POST = Request("POST", URL("https://a.test/"), (), (), b"body", None)


@pytest.mark.parametrize(
    "cookie",
    [
        'a="\\012\\015X-Evil: 1"',
        "a{b}=1",
        "a b=1",
        "=1",
        "a=\x80\xff",
        "a=\x01\x7f",
        "expires=1",
        "a=1; Domain=\x00; Max-Age=x; Path=",
        "a=" + "x" * 4000,
    ],
)
def test_a_cookie_of_any_kind_harms_nobody(cookie: str) -> None:
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        status = b"302 Found" if len(heard) == 1 else b"200 OK"
        head = b"HTTP/1.1 %s\r\nLocation: /\r\nContent-Length: 0\r\nSet-Cookie: %s\r\n\r\n"
        writer.write(head % (status, cookie.encode("latin-1")))

    async def scenario() -> Outcome:
        prober = HttpProber()
        async with stream_server(handler) as port:
            outcome = await prober.probe(HttpProber.parse(f"http://127.0.0.1:{port}/"), HttpOptions())
        await prober.close()
        return outcome

    assert asyncio.run(scenario()).reason in ("200", "not HTTP")
    assert not any(b"\r\nX-Evil" in request for request in heard)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/z", "http://a.test/z"),
        ("?z", "http://a.test/x?z"),
        ("//c.test/", "http://c.test/"),
        ("https://u:p@a.test:8443/#f", "https://a.test:8443/"),
    ],
)
def test_a_location_is_read_from_where_it_was_found(location: str, url: str) -> None:
    following = redirected(GET, 301, location, {})
    assert following is not None
    assert str(following.url) == url


@pytest.mark.parametrize(
    "location",
    ["gopher://a/", "https:///x", "http://a:99999/", "javascript:x", "http://127.1/", "http://xn--/"],
)
def test_a_location_that_leads_nowhere_is_an_error(location: str) -> None:
    with pytest.raises(BadRedirect):
        redirected(GET, 302, location, {})


@given(st.text())
def test_any_location_is_an_url_or_an_error(location: str) -> None:
    try:
        following = redirected(GET, 302, location, {})
    except BadRedirect:
        return
    assert following is not None
    assert following.url.scheme in ("http", "https")


@pytest.mark.parametrize("status", [200, 300, 304, 404])
def test_other_answers_lead_nowhere(status: int) -> None:
    assert redirected(GET, status, "/z", {}) is None
    assert redirected(GET, 302, None, {}) is None


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"body"), (308, "POST", b"body")],
)
def test_the_body_goes_along_only_where_the_status_says_so(status: int, method: str, body: bytes) -> None:
    following = redirected(POST, status, "/next", {})
    assert following is not None
    assert (following.method, following.body) == (method, body)


def test_another_host_gets_neither_secrets_nor_the_name_of_the_first() -> None:
    following = redirected(GET, 302, "http://c.test/", {"session": "1"})
    assert following is not None
    assert (following.secrets, following.cookies) == ((), {})
    assert (following.server_name, following.headers) == (None, (("X", "1"),))
    back = redirected(following, 302, "http://a.test/", {})
    assert back is not None
    assert back.secrets == (), "and they do not come back"


@pytest.mark.parametrize("location", ["http://a.test:81/", "https://a.test:444/"])
def test_a_step_down_from_tls_or_to_another_port_takes_no_secrets_along(location: str) -> None:
    secured = Request("GET", URL("https://a.test/"), (), (("Key", "s"),), b"", None)
    following = redirected(secured, 302, location, {})
    assert following is not None
    assert following.secrets == ()


def test_ten_redirects_are_followed_and_no_more() -> None:
    request: Request | None = GET
    for _ in range(10):
        assert request is not None
        request = redirected(request, 302, "/", {})
    assert request is not None
    with pytest.raises(BadRedirect, match="too many"):
        redirected(request, 302, "/", {})


def test_a_secret_of_several_lines_ends_with_the_first(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\r\nX-Evil: two\n")
    request = first_request(URL("http://a.test/"), HttpOptions(bearer_token_file=file))
    assert request.secrets == (("Authorization", "Bearer one"),)
    for text in ("\n", "one\x0btwo", "one\rX-Evil: two"):
        file.write_bytes(text.encode())
        with pytest.raises(Unreadable):
            first_request(URL("http://a.test/"), HttpOptions(bearer_token_file=file))
