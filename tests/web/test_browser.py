"""The pages in a real browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

from monitor.track.states import State
from tests.agent.real import eventually
from tests.web.browser import Browser, browser
from tests.web.house import PBX, TRUNK, House
from tests.web.test_claims import amended

CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data;
}
function ground(element) {
  for (let one = element; one; one = one.parentElement) {
    const colour = rgba(getComputedStyle(one).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
}
function light(c) {
  const [r, g, b] = [...c].slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const weak = [];
for (const element of document.querySelectorAll("body *:not(svg *):not(script)")) {
  const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!says || element.closest(".skip, .hidden, noscript")) continue;
  const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) weak.push(element.outerHTML.slice(0, 80));
}
return weak;
"""
"""Texts whose contrast is under the 4.5 of WCAG 2.2 AA."""

WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


PATHS = (
    "/",
    f"/services/{TRUNK}",
    f"/services/{PBX}",
    "/months/2026-10",
    f"/services/{TRUNK}/months/2026-10",
    f"/services/{PBX}/months/2026-11",
    "/claims",
    "/?state=up",
    "/nothing",
)


def test_the_pages_work_in_a_browser(house: House, tmp_path: Path) -> None:
    """In both schemes, at the width of a desk and of a phone; and an open page keeps up with the agent."""
    house.turn(PBX, State.DEGRADED, "2026-11-20T14:00:00")
    paths = (*PATHS, *(f"/claims/{one['uid']}" for one in amended(house)))

    def look(url: str) -> None:
        with browser(tmp_path) as chromium:
            for scheme, width in (("light", 1280), ("dark", 1280), ("light", 400)):
                chromium.look_like(scheme, width)
                for path in paths:
                    look_at(chromium, url + path)
            keeps_up(chromium, url, house)

    async def serve() -> None:
        async with house.served() as site:
            await asyncio.to_thread(look, site.url)

    asyncio.run(serve())


def look_at(chromium: Browser, url: str) -> None:
    chromium.go(url)
    complaints = [line for line in chromium.complaints() if "404 (Not Found)" not in line]
    assert complaints == [], url
    assert chromium.run(CONTRAST) == [], url
    assert chromium.run(WIDER) <= 0, url


def keeps_up(chromium: Browser, url: str, house: House) -> None:
    chromium.go(url)
    assert chromium.run("return document.querySelectorAll('.service').length") == 3
    assert heading(chromium) == "1 of 3 services is down"
    eventually(lambda: chromium.run("return document.getElementById('signal').textContent") == "live")
    chromium.run(f"document.getElementById('s-{TRUNK}').focus()")
    house.turn(TRUNK, State.UP, "2026-11-20T14:02:30")
    eventually(lambda: heading(chromium) == "1 of 3 services is unknown")
    assert chromium.run("return document.activeElement.id") == f"s-{TRUNK}"
    assert chromium.run("return document.title").startswith("1 of 3 services is unknown")
    assert chromium.complaints() == []


def heading(chromium: Browser) -> str:
    return str(chromium.run("return document.querySelector('h1').textContent"))
