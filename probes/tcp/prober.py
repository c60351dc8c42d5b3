"""Asking once over TCP."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from probes.dial import Dialer
from probes.metric import Metric
from probes.outcome import Outcome
from probes.prober import Options
from probes.target import HostPort, host_and_port
from probes.tcp.conversation import converse
from probes.tcp.metrics import METRICS
from probes.tcp.options import TcpOptions


class TcpProber:
    """Connects and hangs up; or speaks TLS, or holds a conversation, where the options say so.

    The round trip is the kernel's own measurement of SYN to SYN-ACK (``TCP_INFO``), so that a busy event loop
    does not lengthen it. After a lost SYN it is unknown, and the probe counts from the moment of connection.
    """

    schemes: ClassVar[tuple[str, ...]] = ("tcp",)
    options: ClassVar[type[Options]] = TcpOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self) -> None:
        self._dialer = Dialer()

    @staticmethod
    def parse(text: str) -> HostPort:
        return host_and_port(text, "tcp")

    async def probe(self, target: HostPort, options: TcpOptions) -> Outcome:
        talk = partial(converse, self._dialer, options)
        return await self._dialer.dial(target.host, target.port, options, talk)

    async def close(self) -> None:
        await self._dialer.close()
