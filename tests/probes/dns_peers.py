"""A real unbound that tests ask, with zones of its own, and servers that answer as no real one would."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.query
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from probes.dns_server import DnsOptions, DnsProber
from probes.outcome import Outcome
from tests.peers import peer
from tests.probes.certificates import Authority
from tests.probes.daemons import free_port, running

HOST = "dns.lab.test"
"""Whom the certificate of the unbound is for."""

LARGE = 200
"""Addresses of large.lab.test, more than a datagram takes."""

_CONFIG = """
server:
  interface: 127.0.0.1@{udp}
  interface: ::1@{udp}
  interface: 127.0.0.1@{tls}
  tls-port: {tls}
  tls-service-pem: "{chain}"
  tls-service-key: "{key}"
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  ede: yes
  root-hints: "{folder}/root"
  outgoing-interface: 127.0.0.1
  module-config: "validator iterator"
  trust-anchor: "{anchor}"
  trust-anchor: "{wrong_anchor}"
  local-zone: "test." nodefault
  local-zone: "lab.test." static
  local-zone: "forbidden.test." refuse
  local-zone: "mute.test." deny
  local-data: "lab.test. 300 IN SOA ns.lab.test. host.lab.test. 2026112401 1 2 3 4"
  local-data: "lab.test. 300 IN NS ns.lab.test."
  local-data: "a.lab.test. 300 IN A 127.0.0.1"
  local-data: "a.lab.test. 300 IN A 127.0.0.2"
  local-data: "mail.lab.test. 300 IN MX 10 A.lab.test."
  local-data: '_sip._udp.lab.test. 300 IN SRV 10 5 5060 a.lab.test.'
  local-data: 'text.lab.test. 300 IN TXT "v=spf1 -all"'
{large}
remote-control:
  control-enable: no
auth-zone:
  name: "signed.test."
  zonefile: "{folder}/signed.test"
  for-downstream: no
auth-zone:
  name: "bogus.test."
  zonefile: "{folder}/bogus.test"
  for-downstream: no
auth-zone:
  name: "plain.test."
  zonefile: "{folder}/plain.test"
  for-downstream: no
"""

_ZONE = """
$ORIGIN {name}
@ 300 IN SOA ns hostmaster 7 3600 600 86400 300
@ 300 IN NS ns
ns 300 IN A 127.0.0.1
www 300 IN A 127.0.0.9
"""


@dataclass(frozen=True, slots=True)
class Unbound:
    """Its port for UDP and TCP, its port for TLS, and who signed its certificate, which is for HOST."""

    port: int
    tls: int
    ca_file: Path


@contextlib.contextmanager
def unbound(folder: Path) -> Iterator[Unbound]:
    """A resolver for these zones: lab.test (its own), signed.test, plain.test (not signed), bogus.test (signed with
    another key than it knows), forbidden.test (refused) and mute.test (not answered at all)."""
    authority = Authority(folder)
    certificate = authority.certificate(HOST)
    port, tls = free_port(), free_port()
    _write_zone(folder, "plain.test.")
    (folder / "root").write_text(". 3600 IN NS root.test.\nroot.test. 3600 IN A 127.0.0.1\n")
    wrong_anchor = _sign_zone(folder, "bogus.test.")
    _sign_zone(folder, "bogus.test.")
    config = folder / "unbound.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            udp=port,
            tls=tls,
            chain=certificate.chain,
            key=certificate.key,
            anchor=_sign_zone(folder, "signed.test."),
            wrong_anchor=wrong_anchor,
            large="\n".join(f'  local-data: "large.lab.test. 300 IN A 127.0.1.{n}"' for n in range(LARGE)),
        )
    )
    with running([peer("unbound"), "-d", "-c", str(config)], folder, lambda: _answers(port)):
        yield Unbound(port, tls, authority.ca_file)


def _answers(port: int) -> bool:
    try:
        dns.query.udp(dns.message.make_query("lab.test", "NS"), "127.0.0.1", 0.2, port)
    except (dns.exception.Timeout, OSError):
        return False
    return True


def _write_zone(folder: Path, name: str) -> dns.zone.Zone:
    zone = dns.zone.from_text(_ZONE.format(name=name), origin=name, relativize=False)
    zone.to_file(str(folder / name.rstrip(".")), relativize=False)
    return zone


def _sign_zone(folder: Path, name: str) -> str:
    """Signs with a new key; the trust anchor for it, as a DNSKEY record."""
    zone = _write_zone(folder, name)
    private = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
    now = datetime.now(UTC)
    dns.dnssec.sign_zone(
        zone,
        keys=[(private, public)],
        add_dnskey=True,
        inception=now - timedelta(days=1),
        expiration=now + timedelta(days=7),
        deterministic=False,
    )
    zone.to_file(str(folder / name.rstrip(".")), relativize=False)
    return f"{name} 300 IN DNSKEY {public.to_text()}"


Answers = Callable[[bytes, tuple[str, int]], Iterable[bytes]]
"""What a server says to a question from that address."""


@contextlib.contextmanager
def datagram_server(answers: Answers) -> Iterator[int]:
    """Answers over UDP on a port of 127.0.0.1, in a thread, until the block ends or the answers do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                data, source = sock.recvfrom(65_535)
                for said in answers(data, source) if data else ():
                    if ended.is_set():
                        return
                    sock.sendto(said, source)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        ended.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", port))
        thread.join(6)


def answer(question: bytes, *records: str) -> bytes:
    """An answer with these records, as a zone file has them, of the name that was asked for: ``A 127.0.0.1``."""
    asked = dns.message.from_wire(question)
    said = dns.message.make_response(asked)
    for record in records:
        kind, _, data = record.partition(" ")
        said.answer.append(dns.rrset.from_text(asked.question[0].name, 300, "IN", kind, data))
    return said.to_wire()


async def ask(text: str, **options: object) -> Outcome:
    """The outcome of one probe by a prober of its own."""
    prober = DnsProber()
    told = DnsOptions.model_validate({"timeout": "2s", **options})
    try:
        return await prober.probe(DnsProber.parse(text), told)
    finally:
        await prober.close()


def probe(text: str, **options: object) -> Outcome:
    return asyncio.run(ask(text, **options))


def shown(outcome: Outcome) -> dict[str, float]:
    """What Prometheus is shown, by the text of name and labels."""
    return {
        metric.name + "".join(f"{{{key}={text}}}" for key, text in labels.items()): value
        for metric in DnsProber.metrics
        for labels, value in metric.samples(outcome)
    }
