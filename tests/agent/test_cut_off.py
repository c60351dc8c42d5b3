"""All reference targets and all services are cut off at once: that is our line, and nobody's outage."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

from tests.agent.real import Ringback, eventually, free_port, running


class Wire:
    """TCP listeners that a test can cut and mend together, as one line that they all hang on."""

    def __init__(self, count: int) -> None:
        self.ports = [free_port() for _ in range(count)]
        self._open: list[socket.socket] = []

    def mend(self) -> None:
        for port in self.ports:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            sock.listen(64)
            self._open.append(sock)
            threading.Thread(target=_accept, args=(sock,), daemon=True).start()

    def cut(self) -> None:
        for sock in self._open:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open.clear()


def _accept(sock: socket.socket) -> None:
    try:
        while True:
            sock.accept()[0].close()
    except OSError:
        return


def good_answers(agent: Ringback, service: str) -> float:
    text = agent.get("/metrics")
    (count,) = re.findall(
        rf'^ringback_probes_total{{service="{service}".*outcome="good"}} (\S+)$', text, re.MULTILINE
    )
    return float(count)


def test_no_outage_but_unknown_time_for_all(tmp_path: Path):
    wire = Wire(5)
    wire.mend()
    first, second, *services = wire.ports
    agent = Ringback(
        tmp_path,
        "".join(f'  - {{id: link-{p}, kind: link, checks: ["tcp://127.0.0.1:{p}"]}}\n' for p in services),
        agent=f"  reference_targets: [tcp://127.0.0.1:{first}, tcp://127.0.0.1:{second}]\n",
    )
    names = [f"link-{port}" for port in services]
    with running(agent):
        eventually(lambda: all(good_answers(agent, name) >= 4 for name in names))
        wire.cut()
        eventually(lambda: all(agent.state(name) == "unknown" for name in names))
        assert agent.metric("ringback_cut_off") == 1
        wire.mend()
        eventually(lambda: all(agent.state(name) == "up" for name in names))
        for name in names:
            assert agent.down_spans(name) == []
            states = agent.rows("SELECT state FROM service_states WHERE service = ?", name)
            assert [row["state"] for row in states] == ["up", "unknown", "up"]
    wire.cut()


def test_a_service_that_fails_while_the_references_answer_is_an_outage(tmp_path: Path):
    there, gone = Wire(1), Wire(1)
    there.mend(), gone.mend()
    agent = Ringback(
        tmp_path,
        f'  - {{id: link, kind: link, checks: ["tcp://127.0.0.1:{gone.ports[0]}"]}}\n',
        agent=f"  reference_targets: [tcp://127.0.0.1:{there.ports[0]}]\n",
    )
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        gone.cut()
        eventually(lambda: agent.state("link") == "down")
    there.cut()
