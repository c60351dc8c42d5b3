"""A registrar that answers as a test has it, and probes of registrars."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path

from probes.outcome import Outcome
from probes.sip.message import Request, parse_message
from tests.probes.sip_peers import answer, ask, udp_server


class Registrar:
    """What a peer heard, and how it answers each request, by its number."""

    def __init__(self, *script: Callable[[bytes], bytes | None]) -> None:
        self.heard: list[Request] = []
        self._script = script

    def reply(self, data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
        request = parse_message(data)
        assert isinstance(request, Request)
        self.heard.append(request)
        said = self._script[min(len(self.heard), len(self._script)) - 1](data)
        if said is not None:
            sock.sendto(said, sender)

    @property
    def removals(self) -> list[str]:
        """The contacts that were taken back."""
        contacts = [request.get("contact") or "" for request in self.heard]
        return [contact for contact in contacts if contact.endswith(";expires=0")]


def ok(data: bytes) -> bytes:
    return answer(data)


def listed(data: bytes) -> bytes:
    contact = re.search(rb"Contact: (.*)\r\n", data)
    assert contact
    return answer(data, extra=f"Contact: {contact[1].decode()}\r\n")


def silent(data: bytes) -> None:
    return None


def challenge(stale: str = "false", nonce: str = "n") -> Callable[[bytes], bytes]:
    header = f'WWW-Authenticate: Digest realm="a, b", nonce="{nonce}", stale={stale}, qop="auth"\r\n'
    return lambda data: answer(data, "401 Unauthorized", header)


def run(registrar: Registrar, password: Path | None = None, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        async with udp_server(registrar.reply) as port:
            return await ask(f"sip:bob@127.0.0.1:{port}", password_file=password, **options)

    return asyncio.run(scenario())
