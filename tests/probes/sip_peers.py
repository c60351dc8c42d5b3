"""SIP servers of the tests: a real Kamailio, and one that misbehaves on request; and probes of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from probes.outcome import Outcome
from probes.sip import SipOptions, SipProber
from tests.peers import peer
from tests.probes.certificates import Certificate
from tests.probes.daemons import free_port, running


async def ask(target: str, **options: object) -> Outcome:
    """By a prober of its own."""
    prober = SipProber()
    outcome = await prober.probe(SipProber.parse(target), SipOptions.model_validate(options))
    await prober.close()
    return outcome


def probe(target: str, **options: object) -> Outcome:
    return asyncio.run(ask(target, **options))


_KAMAILIO = """#!KAMAILIO
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
{tls}
children=1
tcp_children=1
log_stderror=yes
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("registrar", "max_contacts", 5)
request_route {{
    if (is_method("ACK")) {{ exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("REGISTER")) {{
        if ($tU == "brief" && is_present_hf("Expires") && $(hdr(Expires){{s.int}}) < 120) {{
            append_to_reply("Min-Expires: 120\\r\\n");
            sl_send_reply("423", "Interval Too Brief");
            exit;
        }}
        if ($tU == "nobody") {{ sl_send_reply("404", "Not Found"); exit; }}
        if ($tU != "open" && !pv_www_authenticate("lab", "{password}", "0")) {{
            www_challenge("lab", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if ($rU == "silent") {{ exit; }}
    if ($rU == "busy") {{
        append_to_reply("Retry-After: 30\\r\\n");
        sl_send_reply("503", "Service Unavailable");
        exit;
    }}
    if ($rU == "nobody") {{ sl_send_reply("404", "Not Found"); exit; }}
    if ($rU == "barred") {{ sl_send_reply("403", "Forbidden"); exit; }}
    if ($rU == "members" && !pv_www_authenticate("lab", "{password}", "0")) {{
        www_challenge("lab", "1");
        exit;
    }}
    if ($rU == "transit" && !pv_proxy_authenticate("lab", "{password}", "0")) {{
        proxy_challenge("lab", "1");
        exit;
    }}
    if ($rU == "old") {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    sl_send_reply("200", "OK");
}}
"""

_KAMAILIO_TLS = """
enable_tls=yes
listen=tls:127.0.0.1:{port}
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{certificate.chain}")
modparam("tls", "private_key", "{certificate.key}")
modparam("tls", "ca_list", "{ca_file}")
modparam("tls", "verify_certificate", {verify})
modparam("tls", "require_certificate", {verify})
"""

PASSWORD = "correct horse"


@contextlib.contextmanager
def kamailio(folder: Path, algorithm: str = "MD5") -> Iterator[int]:
    """Answers by the user that is asked for: silent, busy, nobody, barred, old; members and transit with the
    PASSWORD of anybody; anybody else is fine. As a registrar it has PASSWORD for all but open, wants no less
    than two minutes of brief, and knows no nobody."""
    port = free_port()
    with _run(folder, port, "", algorithm):
        yield port


@contextlib.contextmanager
def kamailio_tls(
    folder: Path, certificate: Certificate, ca_file: Path, verify: bool = False
) -> Iterator[int]:
    """The same, and the port on which it speaks TLS. ``verify``: only to clients with a certificate."""
    port, tls_port = free_port(), free_port()
    tls = _KAMAILIO_TLS.format(port=tls_port, certificate=certificate, ca_file=ca_file, verify=int(verify))
    with _run(folder, port, tls, "MD5"):
        yield tls_port


@contextlib.contextmanager
def _run(folder: Path, port: int, tls: str, algorithm: str) -> Iterator[None]:
    config = folder / "kamailio.cfg"
    config.write_text(_KAMAILIO.format(port=port, tls=tls, algorithm=algorithm, password=PASSWORD))
    command = [peer("kamailio"), "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8", "-w", str(folder)]
    command += ["-Y", str(folder), "-P", str(folder / "kamailio.pid")]
    with running(command, folder, lambda: _answers(port)):
        yield


def _answers(port: int) -> bool:
    """Whether the last process that it forks is there; told to end before, it would leave some behind."""
    ask = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK\r\nMax-Forwards: 9\r\nTo: <sip:a>\r\n"
    ask += b"From: <sip:b>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(ask)
            return connection.recv(64).startswith(b"SIP/2.0 ")
    except OSError:
        return False


Reply = Callable[[bytes, tuple[str, int], socket.socket], None]


@contextlib.asynccontextmanager
async def udp_server(reply: Reply) -> AsyncIterator[int]:
    """Calls ``reply`` with each datagram, its sender and the socket."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))

        def readable() -> None:
            data, sender = sock.recvfrom(65_536)
            reply(data, sender, sock)

        loop.add_reader(sock, readable)
        try:
            yield sock.getsockname()[1]
        finally:
            loop.remove_reader(sock)


def answer(request: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    """A proper response to a request."""
    kept = re.findall(rb"(?im)^(?:via|from|to|call-id|cseq):.*\r\n", request)
    return f"SIP/2.0 {status}\r\n".encode() + b"".join(kept) + f"{extra}Content-Length: 0\r\n\r\n".encode()
