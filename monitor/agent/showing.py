"""From statements that are on disk to what is shown, and to the log."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog

from monitor.config.values import CheckConfig, ServiceConfig
from monitor.live import Live, LiveCheck, LiveService
from monitor.track.states import State
from monitor.track.tracker import Statement

LINES_A_SECOND = 50
"""Changes that are logged one by one; of more at once only the number is."""

log = structlog.get_logger("agent")


class Showing:
    """Keeps ``live`` in step with what was written."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._second = 0
        self._lines = 0
        self.dirty: set[str] = set()
        """Services whose month has to be computed again."""

    def adopt(self, service: ServiceConfig) -> LiveService:
        """Show a service (anew); the counters of checks that stay go on."""
        known = self._live.services.get(service.id)
        kept = {check.name: check for check in known.checks} if known else {}
        checks = tuple(_shown(check, kept.get(check.name)) for check in service.checks)
        shown = LiveService(service, checks)
        if known is not None:
            shown.state, shown.since_ms, shown.reason = known.state, known.since_ms, known.reason
            shown.outage_since_ms, shown.outages = known.outage_since_ms, known.outages
        self._live.services[service.id] = shown
        self.dirty.add(service.id)
        return shown

    def dismiss(self, service_id: str) -> None:
        self._live.services.pop(service_id, None)

    def show(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            service = self._live.services.get(statement.service)
            if service is not None:
                self._show_check(service, statement)
                if statement.service_changes:
                    self._show_service(service, statement)

    def _show_check(self, service: LiveService, statement: Statement) -> None:
        for check in service.checks:
            if check.name == statement.check:
                check.suspect = statement.pending_ms is not None
                if statement.check_changes:
                    check.state = statement.check_state
                    check.since_ms = statement.check_changes[-1].at_ms

    def _show_service(self, service: LiveService, statement: Statement) -> None:
        before, state = service.state, statement.service_state
        service.state = state
        service.since_ms = statement.service_since_ms
        service.reason = statement.service_changes[-1].reason
        self.dirty.add(statement.service)
        for change in statement.service_changes:
            if change.state is State.DOWN and service.outage_since_ms is None:
                service.outage_since_ms = change.at_ms
                service.outages += 1
            elif change.state is State.DOWN:
                service.outage_since_ms = min(service.outage_since_ms or change.at_ms, change.at_ms)
            elif change.state in (State.UP, State.DEGRADED):
                service.outage_since_ms = None
        if state is not before:
            self._log(service, state, statement)

    def _log(self, service: LiveService, state: State, statement: Statement) -> None:
        second = int(time.monotonic())
        if second != self._second:
            if self._lines > LINES_A_SECOND:
                log.warning("more changes than are logged one by one", changes=self._lines - LINES_A_SECOND)
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            since = datetime.fromtimestamp(statement.service_since_ms / 1000, UTC).isoformat(
                timespec="milliseconds"
            )
            say = log.warning if state in (State.DOWN, State.UNKNOWN) else log.info
            say(f"service {state.word}", service=service.config.id, since=since, reason=service.reason)


def _shown(check: CheckConfig, known: LiveCheck | None) -> LiveCheck:
    """What is known of a check is kept while it is asked by the same prober."""
    return known if known and known.prober is check.prober else LiveCheck(check.name, prober=check.prober)
