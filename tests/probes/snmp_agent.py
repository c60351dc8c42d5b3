"""An SNMP agent that the tests play themselves, with pysnmp's codec: one that renumbers, errs or lies."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]
Answers = Callable[[bytes], list[bytes]]
"""The datagrams with which a question is answered."""


class Agent(asyncio.DatagramProtocol):
    """Serves ``objects``; whatever else a test wants to send back, ``answers`` decides."""

    def __init__(self, answers: Answers | None = None) -> None:
        self.objects: dict[Oid, Any] = {}
        self.asked = 0
        self.error_status = 0
        self._answers = answers or self.truthful

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.asked += 1
        for answer in self._answers(data):
            self._transport.sendto(answer, addr)

    def truthful(self, datagram: bytes) -> list[bytes]:
        message = read(datagram)
        question = v2c.apiMessage.get_pdu(message)
        oids = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(question)]
        if isinstance(question, v2c.GetBulkRequestPDU):
            found = self._rows(oids, int(v2c.apiBulkPDU.get_max_repetitions(question)))
        else:
            found = [(oid, self.objects.get(oid, v2c.NoSuchInstance(""))) for oid in oids]
        return [self.response(message, found)]

    def _rows(self, oids: list[Oid], rows: int) -> list[tuple[Oid, Any]]:
        """What follows each of the OIDs, row by row (RFC 3416 §4.2.3)."""
        known, found = sorted(self.objects), []
        for _ in range(rows):
            following = [next((one for one in known if one > oid), None) for oid in oids]
            found += [
                (oid, v2c.EndOfMibView("")) if one is None else (one, self.objects[one])
                for oid, one in zip(oids, following, strict=True)
            ]
            oids = [one or oid for oid, one in zip(oids, following, strict=True)]
        return found

    def response(self, message: Any, bindings: list[tuple[Oid, Any]]) -> bytes:
        question = v2c.apiMessage.get_pdu(message)
        pdu = v2c.ResponsePDU()
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_request_id(pdu, v2c.apiPDU.get_request_id(question))
        v2c.apiPDU.set_error_status(pdu, self.error_status)
        v2c.apiPDU.set_varbinds(pdu, bindings)
        v2c.apiMessage.set_pdu(message, pdu)
        return self.encoded(message)

    @staticmethod
    def encoded(message: Any) -> bytes:
        return bytes(encoder.encode(message))


class Relay(asyncio.DatagramProtocol):
    """Stands between a prober and a real agent, and hands on what ``tamper`` makes of each answer."""

    def __init__(self, port: int, tamper: Answers) -> None:
        self.questions: list[bytes] = []
        self._port = port
        self._tamper = tamper
        self._asker: tuple[str | Any, int] = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if addr[1] == self._port:
            for answer in self._tamper(data):
                self._transport.sendto(answer, self._asker)
        else:
            self._asker = addr
            self.questions.append(data)
            self._transport.sendto(data, ("127.0.0.1", self._port))


def read(datagram: bytes) -> Any:
    return decoder.decode(datagram, asn1Spec=v2c.Message())[0]


@contextlib.asynccontextmanager
async def serving(agent: asyncio.DatagramProtocol) -> AsyncIterator[int]:
    """The loopback port on which the agent answers until the block ends."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A UDP port that takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
