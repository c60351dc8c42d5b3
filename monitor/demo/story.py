"""The demo from its first line to its last."""

from __future__ import annotations

import contextlib
import datetime
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zoneinfo
from collections.abc import Callable
from pathlib import Path

from monitor.demo import configuration, history, processes
from monitor.demo.agent_view import AgentView
from monitor.demo.configuration import FIBRE, TRUNK, ZONE
from monitor.demo.narrator import Narrator
from monitor.demo.orders import HOST
from monitor.demo.processes import Ended, Lab

QUIET_S = 6.0
"""How long everything is fine before the outage."""

OUTAGE_S = 15.0
"""How long the trunk says nothing."""

PATIENCE_S = 30.0
"""How long something may take that takes a few seconds."""


class _Stopped(Exception):
    """Somebody pressed Ctrl-C, or the time is up."""


def run(directory: Path | None, port: int, seconds: float | None) -> None:
    """Tell the story, and go on until Ctrl-C, SIGTERM, or for so many seconds in all.

    What is written goes to ``directory``, or to one that is removed at the end. ``port`` is the page's; where it
    is taken, another one is. Raises Ended where a part of the demo fails, OSError where there is no room for it.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    deadline = None if seconds is None else time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        if directory is None:
            where = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-demo-")))
        else:
            where = directory.absolute()
            where.mkdir(parents=True, exist_ok=True)
        Story(where, _free_port(port), stop, deadline, kept=directory is not None).tell()


class Story:
    """One telling of it. Everything that it makes lies in ``directory``."""

    def __init__(
        self, directory: Path, port: int, stop: threading.Event, deadline: float | None, *, kept: bool
    ) -> None:
        self._directory = directory
        self._kept = kept
        self._port = port
        self._view = AgentView(port)
        self._stop = stop
        self._deadline = deadline
        self._narrator = Narrator()
        self._file = directory / "ringback.yml"
        self._state = directory / "state"
        self._log = directory / "agent.log"
        self._now = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))

    def tell(self) -> None:
        """Raises Ended."""
        narrator = self._narrator
        narrator.title("Ringback demo: everything here is on this host, nothing leaves it, Ctrl-C ends it.")
        narrator.say(f"The status page will be at [bold]{self._view.url}[/bold]")
        with contextlib.suppress(_Stopped), processes.lab() as lab:
            self._describe(lab)
            self._bring_history(lab)
            narrator.step("Starting the agent, as systemd would: [bold]ringback agent[/bold]")
            with processes.agent(self._file, self._log) as agent:
                try:
                    self._watch(lab, agent)
                except _Stopped:
                    narrator.title("\nEnding: the agent waits for its probes under way, then the lab goes.")
        narrator.say(f"Everything is kept in {self._directory}" if self._kept else "Nothing is left behind.")

    def _watch(self, lab: Lab, agent: subprocess.Popen[str]) -> None:
        def alive() -> None:
            if agent.poll() is not None:
                raise Ended(f"the agent ended by itself:\n{_tail(self._log)}")

        narrator = self._narrator
        self._until("the agent probes and writes", self._view.ready, alive)
        self._until("the trunk is up", lambda: self._view.state(TRUNK) == "up", alive)
        narrator.say(
            f"It probes. Status page: [bold]{self._view.url}[/bold]   metrics: {self._view.url}metrics"
        )
        self._say_credits()
        self._wait(QUIET_S, "all is well", alive)
        self._say_icmp()
        self._stage_outage(lab, alive)
        self._invite()
        while True:
            self._wait(3600.0, "running; Ctrl-C ends the demo", alive)

    # The steps

    def _describe(self, lab: Lab) -> None:
        ports = lab.ports
        self._narrator.step("A lab on loopback stands for a customer's site. It answers")
        self._narrator.say(
            f"SIP as a trunk on port {ports.trunk} (UDP and TCP), SIP as a PBX on {ports.pbx} (TCP),"
        )
        self._narrator.say(
            f"HTTP on {ports.web}, TCP on {ports.tcp}, SNMP on {ports.snmp}; the kernel answers ICMP."
        )

    def _bring_history(self, lab: Lab) -> None:
        narrator = self._narrator
        last, earlier = self._months()
        self._file.write_text(
            configuration.text(lab.ports, self._port, self._state, earlier.date()),
            encoding="utf-8",
        )
        narrator.step(
            f"Wrote [bold]{self._file}[/bold]: four services with plans and fees, probed every second."
        )
        if self._state.exists():
            narrator.say("The state directory holds an earlier demo; its history stays as it is.")
            return
        past = self._directory / "history.jsonl"
        past.write_text("\n".join(history.lines(time.time_ns() // 1_000_000)) + "\n", encoding="utf-8")
        narrator.say(
            f"Two earlier months ({earlier:%Y-%m}, {last:%Y-%m}) and this one so far come from elsewhere:"
        )
        narrator.say(f"[bold]ringback import history {past.name}[/bold]")
        with narrator.waiting("importing"):
            narrator.quote(processes.ringback(self._file, "import", "history", str(past)))

    def _say_credits(self) -> None:
        last, _ = self._months()
        month = f"{last:%Y-%m}"
        narrator = self._narrator
        narrator.step(
            f"In {month} the trunk was down for longer than its plan allows. The month is over, and"
        )
        narrator.say(f"the credit that is owed has been drafted: [bold]ringback credits {month}[/bold]")
        narrator.quote(processes.ringback(self._file, "credits", month))

    def _say_icmp(self) -> None:
        if self._view.state(FIBRE) == "unknown":
            self._narrator.say(
                f"[yellow]This host does not let us send ICMP, so {FIBRE} is unknown:[/yellow] what was not"
            )
            self._narrator.say(
                "seen is neither up nor down. [bold]ringback doctor[/bold] says how to permit it."
            )

    def _stage_outage(self, lab: Lab, alive: Callable[[], None]) -> None:
        narrator = self._narrator
        series = f'ringback_service_up{{service="{TRUNK}"}}'
        narrator.step(f"An outage: for {OUTAGE_S:.0f} seconds the trunk says nothing. Watch the page.")
        silent_at = time.monotonic()
        lab.silence_trunk()
        narrator.seen(f"{_clock()}  the trunk fell silent")
        self._until(f"{series} 1", lambda: self._view.metric(series) == 0, alive)
        narrator.seen(f"{_clock()}  three probes in a row failed: down.  /metrics: {series} 0")
        left_s = OUTAGE_S - (time.monotonic() - silent_at)
        self._wait(max(left_s, 0.0), f"{series} 0", alive)
        lab.let_trunk_answer()
        narrator.seen(f"{_clock()}  the trunk answers again")
        self._until(f"{series} 0", lambda: self._view.metric(series) == 1, alive)
        narrator.seen(f"{_clock()}  two good answers in a row: up.  /metrics: {series} 1")
        narrator.step(
            "It is written down, from the first bad probe to the first good one, not from when it was noticed:"
        )
        month = f"{self._now:%Y-%m}"
        narrator.say(f"[bold]ringback outages --service {TRUNK} --month {month}[/bold]")
        narrator.quote(processes.ringback(self._file, "outages", "--service", TRUNK, "--month", month))

    def _invite(self) -> None:
        last, _ = self._months()
        command, month = _command(), f"{last:%Y-%m}"
        self._narrator.step("Your turn. In another terminal, from this directory:")
        self._narrator.quote(f"export RINGBACK_CONFIG={shlex.quote(str(self._file))}")
        for words in (
            "status",
            "outages",
            f"report {month}",
            f"credits {month}",
            f"probe icmp://{HOST}",
            "doctor",
        ):
            self._narrator.quote(f"{command} {words}")
        self._narrator.say(f"Status page: [bold]{self._view.url}[/bold]   log of the agent: {self._log}")

    # Waiting

    def _until(self, doing: str, condition: Callable[[], bool], alive: Callable[[], None]) -> None:
        end = time.monotonic() + PATIENCE_S
        with self._narrator.waiting(doing):
            while not condition():
                alive()
                if time.monotonic() > end:
                    raise Ended(
                        f"gave up after {PATIENCE_S:.0f} s, still waiting: {doing}\n{_tail(self._log)}"
                    )
                self._pause(0.2)

    def _wait(self, seconds: float, doing: str, alive: Callable[[], None]) -> None:
        end = time.monotonic() + seconds
        with self._narrator.waiting(doing):
            while (left_s := end - time.monotonic()) > 0:
                alive()
                self._pause(min(left_s, 0.5))

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds) or (self._deadline is not None and time.monotonic() > self._deadline):
            raise _Stopped

    def _months(self) -> tuple[datetime.datetime, datetime.datetime]:
        """The last month and the one before it."""
        last = history.month_before(self._now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        return last, history.month_before(last)


def _clock() -> str:
    """The time of day, in the zone in which everything else is told."""
    return f"{datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)):%H:%M:%S}"


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:]) if log.exists() else ""


def _command() -> str:
    """How this program is called by whoever started it."""
    script = Path(sys.executable).with_name("ringback")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m monitor"
    if shutil.which("ringback") == str(script):
        return "ringback"
    with contextlib.suppress(ValueError):
        return shlex.quote(str(script.relative_to(Path.cwd())))
    return shlex.quote(str(script))


def _free_port(wanted: int) -> int:
    """That port of loopback if it is free, else any that is."""
    for port in (wanted, 0):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the agent does
            sock.bind((HOST, port))
            return int(sock.getsockname()[1])
    raise OSError(f"no port of {HOST} is free")
