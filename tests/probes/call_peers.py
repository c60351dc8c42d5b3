"""User agents that are called in the tests: real ones of sipp, by scenarios; and probes of them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probes.call import CallOptions, CallProber
from probes.outcome import Outcome
from tests.peers import peer
from tests.probes.daemons import free_port

SHORT = {"timeout": "8s", "answer_within": "4s", "duration": "600ms", "calls_per_hour": 3600}
"""A call of a test."""


async def ask(target: str, **options: object) -> Outcome:
    """By a prober of its own, whose calls are over when it is closed."""
    prober = CallProber()
    try:
        chosen = CallOptions.model_validate(SHORT | options)
        return await prober.probe(CallProber.parse(target), chosen)
    finally:
        await prober.close()


def call(target: str, **options: object) -> Outcome:
    return asyncio.run(ask(target, **options))


@dataclass(frozen=True)
class Sipp:
    """A scenario that waits for one call, or several."""

    port: int
    child: subprocess.Popen[bytes]
    folder: Path

    @property
    def target(self) -> str:
        return f"call:100@127.0.0.1:{self.port}"

    def ended_well(self) -> bool:
        """Whether every step of the scenario was passed, in each of its calls; it ends when the last is over."""
        return self.child.wait(15) == 0


@contextlib.contextmanager
def sipp(
    folder: Path,
    *steps: str,
    calls: int = 1,
    transport: str = "u1",
    media_port: int = 0,
    words: tuple[str, ...] = (),
    timeout: str = "30s",
) -> Iterator[Sipp]:
    """It goes through the steps with each call. Audio that comes to it goes back."""
    port = free_port()
    scenario = folder / f"{port}.xml"
    text = "\n".join(steps)
    scenario.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="uas">\n{text}\n</scenario>\n'
    )
    argv = [peer("sipp"), "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-t", transport]
    argv += [
        "-mi",
        "127.0.0.1",
        "-mp",
        str(media_port or free_port()),
        "-rtp_echo",
        "-m",
        str(calls),
        "-nostdin",
    ]
    argv += [
        "-timeout",
        "30s",
        "-timeout_error",
        "-trace_err",
        "-error_file",
        str(folder / f"{port}.err"),
        *words,
    ]
    with (folder / f"{port}.log").open("wb") as log:
        child = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 10
        while not _is_bound(port, transport) and child.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        yield Sipp(port, child, folder)
    finally:
        child.kill()
        child.wait()


def _is_bound(port: int, transport: str) -> bool:
    table = Path("/proc/net/udp" if transport.startswith("u") else "/proc/net/tcp").read_text()
    return f":{port:04X} " in table.replace(":0000 ", "")


def receive(method: str, more: str = "") -> str:
    return f'<recv request="{method}" {more}/>'


def pause(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>'


SDP = """v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP {formats}
{more}"""


def sdp(formats: str = "8", more: str = "a=rtpmap:8 PCMA/8000") -> str:
    return SDP.format(formats=formats, more=more)


def respond(status: str, body: str = "", extra: str = "") -> str:
    """To the last request; an answer with a body has a description of audio."""
    lines = [
        "[last_Via:]",
        "[last_From:]",
        "[last_To:];tag=[pid]sipp[call_number]",
        "[last_Call-ID:]",
        "[last_CSeq:]",
    ]
    if extra:
        lines.append(extra)
    lines.append("Contact: <sip:100@[local_ip]:[local_port];transport=[transport]>")
    if body:
        lines.append("Content-Type: application/sdp")
    lines += ["Content-Length: [len]", "", body]
    text = "\n".join(lines)
    return f"<send>\n<![CDATA[\nSIP/2.0 {status}\n{text}\n]]>\n</send>"


ANSWERED = (receive("INVITE"), respond("180 Ringing"), pause(150), respond("200 OK", sdp()), receive("ACK"))
ENDED = (receive("BYE"), respond("200 OK"))
