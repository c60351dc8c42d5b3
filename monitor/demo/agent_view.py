"""How the demo sees the agent: from outside, by its page's address, as a browser and Prometheus do."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from monitor.demo.orders import HOST


class AgentView:
    """The agent that listens on this port of loopback."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}/"

    def ready(self) -> bool:
        """Whether it probes and writes."""
        return self._get("readyz") is not None

    def metric(self, series: str) -> float | None:
        """The value of one series, written as /metrics has it. None where it is absent."""
        for line in (self._get("metrics") or "").splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return None

    def state(self, service: str) -> str | None:
        """The state of the service in /metrics: up, degraded, down or unknown."""
        for word in ("up", "degraded", "down", "unknown"):
            if self.metric(f'ringback_service_state{{service="{service}",state="{word}"}}') == 1:
                return word
        return None

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310
                return str(answer.read(), "utf-8")
        except (OSError, http.client.HTTPException):
            return None
