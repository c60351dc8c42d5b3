"""A real browser, driven over WebDriver (W3C) with what the standard library has."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agent.real import Process, accepts, free_port
from tests.peers import peer

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass(frozen=True)
class Browser:
    session: str

    def go(self, url: str) -> None:
        _send(f"{self.session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """The value that a script in the page returns."""
        return _send(f"{self.session}/execute/sync", {"script": script, "args": []})

    def look_like(self, scheme: str, width: int) -> None:
        """A colour scheme that is preferred, and the width of the window in CSS pixels."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        for command, params in (
            ("Emulation.setEmulatedMedia", {"features": features}),
            ("Emulation.setDeviceMetricsOverride", size),
        ):
            _send(f"{self.session}/goog/cdp/execute", {"cmd": command, "params": params})

    def printed(self) -> bytes:
        """The page on A4, as PDF."""
        answer = _send(f"{self.session}/print", {"page": {"width": 21.0, "height": 29.7}})
        return base64.b64decode(answer)

    def complaints(self) -> list[str]:
        """What the console has shown since the last call: errors and violations of the page's policy."""
        return [line["message"] for line in _send(f"{self.session}/se/log", {"type": "browser"})]


@contextmanager
def browser(directory: Path) -> Iterator[Browser]:
    """Chromium, with a profile in the directory."""
    port = free_port()
    driver = Process(
        [peer("chromedriver"), f"--port={port}"], lambda: accepts(port), directory / "chromedriver.log"
    )
    flags = [*_FLAGS, f"--user-data-dir={directory / 'profile'}"]
    wanted = {
        "goog:chromeOptions": {"binary": peer("chromium"), "args": flags},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    try:
        driver.start()
        answer = _send(f"http://127.0.0.1:{port}/session", {"capabilities": {"alwaysMatch": wanted}})
        yield Browser(f"http://127.0.0.1:{port}/session/{answer['sessionId']}")
    finally:
        if driver.child is not None:
            driver.kill()


def _send(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["value"]
