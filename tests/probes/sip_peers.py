"""SIP servers of the tests: a real Kamailio, and one that misbehaves on request."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from tests.peers import peer
from tests.probes.daemons import free_port, running, takes_connections

_KAMAILIO = """#!KAMAILIO
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
children=1
tcp_children=1
log_stderror=yes
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
request_route {{
    if ($rU == "silent") {{ exit; }}
    if ($rU == "busy") {{
        append_to_reply("Retry-After: 30\\r\\n");
        sl_send_reply("503", "Service Unavailable");
        exit;
    }}
    if ($rU == "nobody") {{ sl_send_reply("404", "Not Found"); exit; }}
    if ($rU == "barred") {{ sl_send_reply("403", "Forbidden"); exit; }}
    if ($rU == "members") {{ sl_send_reply("401", "Unauthorized"); exit; }}
    if ($rU == "old") {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    sl_send_reply("200", "OK");
}}
"""


@contextlib.contextmanager
def kamailio(folder: Path) -> Iterator[int]:
    """Answers by the user that is asked for: silent, busy, nobody, barred, members, old; anybody else is fine."""
    port = free_port()
    config = folder / "kamailio.cfg"
    config.write_text(_KAMAILIO.format(port=port))
    command = [peer("kamailio"), "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8", "-w", str(folder)]
    command += ["-Y", str(folder), "-P", str(folder / "kamailio.pid")]
    with running(command, folder, lambda: takes_connections(port)):
        yield port


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
