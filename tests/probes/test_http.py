"""HTTP probes: answered well, answered badly, not answered, could not ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.http import PHASES, HttpOptions, HttpProber
from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from tests.probes.certificates import Authority, self_signed
from tests.probes.daemons import free_port
from tests.probes.hosts import all_closed, open_sockets
from tests.probes.nginx import files
from tests.probes.nginx import nginx as serving
from tests.probes.servers import silent_listener

_SERVERS = """
  server {{
    listen 127.0.0.1:{plain};
    listen [::1]:{plain};
    location = / {{ return 200 "fine"; }}
    location = /moved {{ return 302 http://localhost:{plain}/; }}
    location = /moved-to-tls {{ return 301 https://localhost:{good}/; }}
    location = /loop {{ return 302 http://localhost:{plain}/loop; }}
    location = /broken-redirect {{ return 302 "gopher://localhost/"; }}
    location = /busy {{ return 503; }}
    location = /header {{ return 200 "$http_x_question"; }}
    location = /method {{ if ($request_method = HEAD) {{ return 204; }} return 405; }}
    location = /large {{ root {folder}; }}
  }}
  server {{ listen 127.0.0.1:{good} ssl; {good_files} location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{old} ssl; ssl_protocols TLSv1.2; {good_files} location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{new} ssl; ssl_protocols TLSv1.3; {good_files} location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{self_signed} ssl; {self_signed_files} location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{wrong} ssl; {wrong_files} location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{expired} ssl; {expired_files} location / {{ return 200 "fine"; }} }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    plain: int
    good: int
    old: int
    new: int
    self_signed: int
    wrong: int
    expired: int
    ca_file: Path
    expires: datetime


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    authority = Authority(folder)
    good = authority.certificate("localhost")
    names = ("plain", "good", "old", "new", "self_signed", "wrong", "expired")
    ports = {name: free_port() for name in names}
    (folder / "large").write_bytes(bytes(3_000_000))
    servers = _SERVERS.format(
        folder=folder,
        **ports,
        good_files=files(good),
        self_signed_files=files(self_signed(folder, "localhost")),
        wrong_files=files(authority.certificate("elsewhere.test")),
        expired_files=files(authority.certificate("localhost", timedelta(days=-1))),
    )
    with serving(folder, servers, ports["expired"]):
        yield Nginx(**ports, ca_file=authority.ca_file, expires=good.expires)


def probe(url: str, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        before = open_sockets()
        prober = HttpProber()
        outcome = await prober.probe(HttpProber.parse(url), HttpOptions.model_validate(options))
        await prober.close()
        await all_closed(before)
        return outcome

    return asyncio.run(scenario())


def phases(outcome: Outcome) -> dict[str, float]:
    assert tuple(name for name, _ in outcome.phases) == PHASES, "every phase is always there"
    return dict(outcome.phases)


def test_an_accepted_status_is_good(nginx: Nginx) -> None:
    outcome = probe(f"http://127.0.0.1:{nginx.plain}/")
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert outcome.detail == {
        "address": "127.0.0.1",
        "status": 200,
        "http": "1.1",
        "content_length": 4,
        "body_bytes": 4,
    }


def test_the_phases_add_up_to_the_round_trip(nginx: Nginx) -> None:
    outcome = probe(f"http://localhost:{nginx.plain}/", family="ipv4")
    spent = phases(outcome)
    assert spent.pop("tls") == 0
    assert all(seconds > 0 for seconds in spent.values())
    assert outcome.round_trip_s == pytest.approx(sum(spent.values()))


def test_the_family_decides_which_address_of_a_name_is_asked(nginx: Nginx) -> None:
    assert probe(f"http://[::1]:{nginx.plain}/").detail["address"] == "::1"
    assert probe(f"http://[::1]:{nginx.plain}/", family="ipv4").verdict is Verdict.NOT_ASKED
    assert probe(f"http://localhost:{nginx.plain}/", family="ipv4").detail["address"] == "127.0.0.1"


def test_another_status_is_bad_and_is_the_reason(nginx: Nginx) -> None:
    outcome = probe(f"http://127.0.0.1:{nginx.plain}/busy")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "503")
    assert phases(outcome)["processing"] > 0


def test_the_operator_says_which_statuses_are_good(nginx: Nginx) -> None:
    url = f"http://127.0.0.1:{nginx.plain}/busy"
    assert probe(url, status=[503]).verdict is Verdict.GOOD
    assert probe(url, status=["5xx", 200]).verdict is Verdict.GOOD
    assert probe(f"http://127.0.0.1:{nginx.plain}/", status=[503]).verdict is Verdict.BAD


def test_redirects_are_followed_and_counted(nginx: Nginx) -> None:
    outcome = probe(f"http://127.0.0.1:{nginx.plain}/moved", family="ipv4")
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert outcome.detail["redirects"] == 1
    assert outcome.detail["url"] == f"http://localhost:{nginx.plain}/"
    assert outcome.round_trip_s == pytest.approx(sum(phases(outcome).values()))


def test_a_redirect_to_tls_is_verified_as_the_options_say(nginx: Nginx) -> None:
    url = f"http://127.0.0.1:{nginx.plain}/moved-to-tls"
    outcome = probe(url, family="ipv4", ca_file=str(nginx.ca_file))
    assert outcome.verdict is Verdict.GOOD
    assert phases(outcome)["tls"] > 0
    assert probe(url, family="ipv4").verdict is Verdict.BAD


def test_redirects_can_be_left_alone(nginx: Nginx) -> None:
    url = f"http://127.0.0.1:{nginx.plain}/moved"
    assert probe(url, follow_redirects=False).reason == "302"
    assert probe(url, follow_redirects=False, status=["3xx"]).verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("path", "reason"), [("loop", "too many redirects"), ("broken-redirect", "bad redirect")]
)
def test_redirects_that_lead_nowhere_are_bad(nginx: Nginx, path: str, reason: str) -> None:
    outcome = probe(f"http://localhost:{nginx.plain}/{path}", family="ipv4")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)


def test_method_and_headers_are_sent(nginx: Nginx) -> None:
    assert probe(f"http://127.0.0.1:{nginx.plain}/method", method="HEAD").reason == "204"
    outcome = probe(f"http://127.0.0.1:{nginx.plain}/header", headers={"X-Question": "twelve bytes"})
    assert outcome.detail["body_bytes"] == 12


def test_no_more_of_a_body_is_read_than_allowed(nginx: Nginx) -> None:
    outcome = probe(f"http://127.0.0.1:{nginx.plain}/large", max_body=100_000)
    assert outcome.verdict is Verdict.GOOD
    read = outcome.detail["body_bytes"]
    assert isinstance(read, int)
    assert 100_000 <= read < 1_000_000
    assert (
        probe(f"http://127.0.0.1:{nginx.plain}/large", max_body=5_000_000).detail["body_bytes"] == 3_000_000
    )


def test_a_trusted_certificate_is_good_and_its_expiry_noted(nginx: Nginx) -> None:
    outcome = probe(f"https://localhost:{nginx.good}/", family="ipv4", ca_file=str(nginx.ca_file))
    assert outcome.verdict is Verdict.GOOD
    assert outcome.detail["tls"] == "TLSv1.3"
    assert outcome.detail["certificate_expires"] == nginx.expires.isoformat()
    assert all(seconds > 0 for seconds in phases(outcome).values())


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("wrong", "certificate: Hostname mismatch"),
        ("expired", "certificate: certificate has expired"),
        ("self_signed", "certificate: self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_bad_and_says_why(nginx: Nginx, server: str, reason: str) -> None:
    url = f"https://localhost:{getattr(nginx, server)}/"
    outcome = probe(url, family="ipv4", ca_file=str(nginx.ca_file))
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)
    assert phases(outcome)["tls"] > 0


def test_the_versions_of_tls_are_those_that_the_options_allow(nginx: Nginx) -> None:
    told = {"family": "ipv4", "ca_file": str(nginx.ca_file)}
    old, new = (f"https://localhost:{port}/" for port in (nginx.old, nginx.new))
    assert probe(old, **told).detail["tls"] == "TLSv1.2"
    assert probe(new, **told).detail["tls"] == "TLSv1.3"
    for refused in (probe(old, **told, tls_min="1.3"), probe(new, **told, tls_max="1.2")):
        assert (refused.verdict, refused.reason) == (Verdict.BAD, "TLS handshake failed")


def test_an_unknown_authority_is_bad(nginx: Nginx) -> None:
    outcome = probe(f"https://localhost:{nginx.good}/", family="ipv4")
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason.startswith("certificate: ")


def test_verification_can_be_left_out_and_the_expiry_is_still_noted(nginx: Nginx) -> None:
    outcome = probe(f"https://localhost:{nginx.expired}/", family="ipv4", verify_tls=False)
    assert outcome.verdict is Verdict.GOOD
    assert str(outcome.detail["certificate_expires"]) < nginx.expires.isoformat()


def test_a_peer_that_speaks_no_tls_is_bad(nginx: Nginx) -> None:
    outcome = probe(f"https://localhost:{nginx.plain}/", family="ipv4")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "TLS handshake failed")


def test_an_unreadable_ca_file_is_our_fault(nginx: Nginx, tmp_path: Path) -> None:
    url = f"https://localhost:{nginx.good}/"
    missing = probe(url, ca_file=str(tmp_path / "none.pem"))
    assert missing.verdict is Verdict.NOT_ASKED
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    assert (probe(url, ca_file=str(garbage)).verdict) is Verdict.NOT_ASKED
    assert probe(url, ca_file=str(garbage)).reason == "CA file not readable"


def test_a_host_without_any_authorities_is_our_fault(
    nginx: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    outcome = probe(f"https://localhost:{nginx.good}/", family="ipv4")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "no CA certificates on this host")
    assert probe(f"http://localhost:{nginx.plain}/", family="ipv4").verdict is Verdict.GOOD


def test_a_renewed_ca_file_is_read_again(nginx: Nginx, tmp_path: Path) -> None:
    async def scenario() -> list[Verdict]:
        prober = HttpProber()
        ca_file = tmp_path / "ca.pem"
        options = HttpOptions(ca_file=ca_file, family="ipv4")
        target = HttpProber.parse(f"https://localhost:{nginx.good}/")
        verdicts = []
        (tmp_path / "other").mkdir()
        for source in (Authority(tmp_path / "other").ca_file, nginx.ca_file):
            source_text = source.read_bytes()
            ca_file.unlink(missing_ok=True)
            ca_file.write_bytes(source_text)
            verdicts.append((await prober.probe(target, options)).verdict)
        await prober.close()
        return verdicts

    assert asyncio.run(scenario()) == [Verdict.BAD, Verdict.GOOD]


def stalled_probe(url: str, stall_s: float, timeout: str) -> Outcome:
    """A probe whose loop stalls as soon as the connection is under way."""

    async def scenario() -> Outcome:
        prober = HttpProber()
        options = HttpOptions.model_validate({"timeout": timeout})
        probing = asyncio.create_task(prober.probe(HttpProber.parse(url), options))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(stall_s)
        outcome = await probing
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def test_an_answer_within_attended_time_is_good_however_late_the_loop_is(nginx: Nginx) -> None:
    outcome = stalled_probe(f"http://127.0.0.1:{nginx.plain}/", 0.18, timeout="200ms")
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is None, "it cannot be known"
    assert outcome.detail["loop_stalled_s"] == pytest.approx(0.17, abs=0.03)


def test_silence_while_the_loop_was_away_is_not_held_against_the_target() -> None:
    with silent_listener() as server:
        outcome = stalled_probe(f"http://127.0.0.1:{server.getsockname()[1]}/", 0.3, timeout="100ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "loop was late")


def test_a_closed_prober_asks_nothing(nginx: Nginx) -> None:
    async def scenario() -> Outcome:
        prober = HttpProber()
        await prober.close()
        return await prober.probe(HttpProber.parse(f"http://127.0.0.1:{nginx.plain}/"), HttpOptions())

    assert asyncio.run(scenario()).verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize(
    "text", ["http://pbx.example.net/", "https://[2001:db8::1]:8443/a?b=c", "HTTP://pbx/"]
)
def test_targets_are_urls(text: str) -> None:
    assert prober_for(text) is HttpProber
    assert HttpProber.parse(text).url.host


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "https:///path",
        "http://host:99999/",
        "http://u:secret@host/",
        "ftp://host/",
        "http://a b/",
        "http://host:0/",
        "http://127.1/",
        "http://xn--/",
        "http://a\\b/",
        "host",
    ],
)
def test_other_targets_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        HttpProber.parse(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"status": [99]},
        {"status": ["2x"]},
        {"status": ["ok"]},
        {"headers": {"Authorization": "Basic Zm9v"}},
        {"headers": {"cookie": "session=1"}},
        {"headers": {"X-Evil": "a\r\nX-More: b"}},
        {"method": "NO SUCH"},
        {"method": "CONNECT"},
        {"max_body": -1},
        {"latency_degraded": "0s"},
        {"colour": "blue"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpOptions.model_validate(options)


def test_equal_options_can_be_shared() -> None:
    given = {"status": [200, "3xx"], "headers": {"X-Question": "who"}}
    assert len({HttpOptions.model_validate(given), HttpOptions.model_validate(given)}) == 1
